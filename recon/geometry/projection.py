"""Pinhole projection. Pixel coordinates: the centre of the first pixel is (0.5, 0.5)."""

import torch
from jaxtyping import Float
from torch import Tensor


def transform_points(
    a_from_b: Float[Tensor, "*batch 4 4"], points: Float[Tensor, "*batch n 3"]
) -> Float[Tensor, "*batch n 3"]:
    """Points of frame b in frame a."""
    return points @ a_from_b[..., :3, :3].mT + a_from_b[..., None, :3, 3]


def project(
    points: Float[Tensor, "*batch n 3"], cam_from_world: Float[Tensor, "*batch 4 4"], K: Float[Tensor, "*batch 3 3"]
) -> tuple[Float[Tensor, "*batch n 2"], Float[Tensor, "*batch n"]]:
    """Pixel coordinates and z-depth of world points; points at or behind the camera get a depth <= 0.

    Returns:
        Pixels (x right, y down) and depth along the optical axis in world units.
    """
    in_camera = transform_points(cam_from_world, points)
    depth = in_camera[..., 2]
    safe = torch.where(depth.abs() < 1e-12, torch.full_like(depth, 1e-12), depth)
    normalised = in_camera[..., :2] / safe[..., None]
    focal = torch.stack([K[..., 0, 0], K[..., 1, 1]], dim=-1)[..., None, :]
    return normalised * focal + K[..., None, :2, 2], depth


def unproject(
    pixels: Float[Tensor, "*batch n 2"],
    depth: Float[Tensor, "*batch n"],
    cam_from_world: Float[Tensor, "*batch 4 4"],
    K: Float[Tensor, "*batch 3 3"],
) -> Float[Tensor, "*batch n 3"]:
    """World points at given pixels and z-depths; the inverse of `project`."""
    focal = torch.stack([K[..., 0, 0], K[..., 1, 1]], dim=-1)[..., None, :]
    in_camera = torch.cat([(pixels - K[..., None, :2, 2]) / focal, torch.ones_like(depth[..., None])], dim=-1)
    in_camera = in_camera * depth[..., None]
    return (in_camera - cam_from_world[..., None, :3, 3]) @ cam_from_world[..., :3, :3]


def pixel_grid(height: int, width: int, *, device: torch.device | str = "cpu") -> Float[Tensor, "height width 2"]:
    """Coordinates (x, y) of all pixel centres."""
    y, x = torch.meshgrid(
        torch.arange(height, device=device) + 0.5, torch.arange(width, device=device) + 0.5, indexing="ij"
    )
    return torch.stack([x, y], dim=-1)


def scale_intrinsics(K: Float[Tensor, "*batch 3 3"], sx: float, sy: float) -> Float[Tensor, "*batch 3 3"]:
    """Intrinsics after resizing the image by factors sx, sy (exact with centres at +0.5)."""
    factor = torch.tensor([sx, sy, 1.0], dtype=K.dtype, device=K.device)
    return K * factor[:, None]
