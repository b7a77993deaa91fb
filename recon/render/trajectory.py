"""Camera paths for videos."""

import numpy as np
import torch
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator
from scipy.spatial.transform import Rotation, RotationSpline
from torch import Tensor

from recon.geometry.se3 import invert_rigid, rigid
from recon.types import Cameras


def tour(cameras: Cameras, num_frames: int) -> Cameras:
    """A smooth path through all cameras and back, so that it can be played in a loop.

    Cameras are visited from an outer one to the nearest not yet seen, whatever their order. Centres follow a
    shape-preserving cubic (no overshoot into walls), rotations a cubic spline; the path slows down at its two ends.
    Intrinsics are those of the first camera.

    Args:
        cameras: At least two, all of one size.
        num_frames: Frames of the whole loop.
    """
    order = visiting_order(cameras.centers)
    poses = cameras.world_from_cam[order].double()
    times = _chord_times(poses)
    there = (1 - np.cos(np.linspace(0, 2 * np.pi, num_frames, endpoint=False))) / 2 * times[-1]
    centres = PchipInterpolator(times, poses[:, :3, 3].numpy())(there)
    rotations = RotationSpline(times, Rotation.from_matrix(poses[:, :3, :3].numpy()))(there).as_matrix()
    world_from_cam = rigid(torch.from_numpy(rotations), torch.from_numpy(centres)).to(cameras.cam_from_world)
    return Cameras(
        cam_from_world=invert_rigid(world_from_cam),
        K=cameras.K[:1].expand(num_frames, 3, 3).contiguous(),
        size=cameras.size[:1].expand(num_frames, 2).contiguous(),
    )


def visiting_order(centers: Float[Tensor, "views 3"]) -> list[int]:
    """A short open walk: begin at the camera farthest from the middle, always go on to the nearest one left."""
    distance = torch.cdist(centers.double(), centers.double())
    current = int((centers - centers.mean(0)).norm(dim=-1).argmax())
    order, left = [current], set(range(len(centers))) - {current}
    while left:
        current = min(left, key=lambda i: float(distance[current, i]))
        order.append(current)
        left.remove(current)
    return order


def _chord_times(world_from_cam: Float[Tensor, "views 4 4"]) -> np.ndarray:
    """Time of each pose, proportional to how far the picture moves: distance over extent plus angle in radians."""
    centres = world_from_cam[:, :3, 3]
    steps = (centres[1:] - centres[:-1]).norm(dim=-1)
    steps = steps / steps.sum().clamp(min=1e-12)
    turns = world_from_cam[:-1, :3, :3].mT @ world_from_cam[1:, :3, :3]
    angles = ((turns.diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2).clamp(-1, 1).arccos()
    return np.concatenate([[0], np.cumsum((steps + angles).numpy() + 1e-6)])
