"""Coloured points as binary PLY, which every mesh and point cloud program opens."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import ExportError
from recon.geometry.spherical_harmonics import C0
from recon.io.atomic import atomic_write
from recon.types import Gaussians

MIN_OPACITY = 0.5
ROW = np.dtype([(axis, "<f4") for axis in "xyz"] + [(channel, "u1") for channel in ("red", "green", "blue")])
HEADER = (
    "ply\nformat binary_little_endian 1.0\nelement vertex {num}\n"
    "property float x\nproperty float y\nproperty float z\n"
    "property uchar red\nproperty uchar green\nproperty uchar blue\nend_header\n"
)


def write_points_ply(path: Path, points: Float[Tensor, "points 3"], colors: Float[Tensor, "points 3"]) -> None:
    """Write points in the frame they are in; no points at all give a valid file.

    Args:
        path: The file.
        points: Coordinates.
        colors: Red, green, blue; clamped to 0..1.

    Raises:
        ExportError: A coordinate or colour is not finite in float32, or the file cannot be written.
    """
    coordinates = points.detach().cpu().float()
    if not bool(torch.isfinite(coordinates).all() & torch.isfinite(colors).all()):
        raise ExportError(f"{path}: some points are NaN or infinite")
    levels = (255 * colors.detach().cpu().float().clamp(0, 1)).round().byte().numpy()
    rows = np.zeros(len(points), ROW)
    for i, axis in enumerate("xyz"):
        rows[axis] = coordinates[:, i].numpy()
    for i, channel in enumerate(("red", "green", "blue")):
        rows[channel] = levels[:, i]
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        file.write(HEADER.format(num=len(points)).encode("ascii"))
        file.write(rows.data)


def opaque_centres(gaussians: Gaussians) -> tuple[Float[Tensor, "points 3"], Float[Tensor, "points 3"]]:
    """Centres of the Gaussians of more than half opacity, and their colours without the view-dependent part."""
    seen = gaussians[gaussians.opacities > MIN_OPACITY]
    return seen.means, 0.5 + C0 * seen.sh[:, 0]
