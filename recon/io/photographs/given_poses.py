"""Cameras that came with the photographs, as an estimate of their poses."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from recon.io.photographs.lens import FittedCamera
from recon.types import Cameras, Photograph, PoseEstimate, PoseReport


def given_poses(
    photographs: list[Photograph],
    fitted: Sequence[FittedCamera],
    method: str,
    points: Float[Tensor, "points 3"] | None = None,
    point_colors: UInt8[Tensor, "points 3"] | None = None,
) -> PoseEstimate:
    """A pose estimate in which every photograph is placed.

    Args:
        photographs: One per camera.
        fitted: In pixels of the photographs.
        method: Where the poses come from, in words.
        points: Sparse surface points in the world.
        point_colors: Their sRGB colours.

    Raises:
        GeometryError: A camera or a point is impossible.
    """
    cameras = Cameras(
        cam_from_world=torch.stack([camera.cam_from_world for camera in fitted]).float(),
        K=torch.stack([camera.K for camera in fitted]),
        size=torch.tensor([photograph.size for photograph in photographs]),
    )
    return PoseEstimate(
        source="given",
        registered=tuple(range(len(photographs))),
        cameras=cameras,
        distortion=torch.stack([camera.distortion for camera in fitted]),
        points=torch.zeros(0, 3) if points is None else points,
        report=PoseReport(method=method),
        point_colors=point_colors,
    ).validate(photographs)
