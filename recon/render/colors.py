"""What colour each camera sees of each Gaussian."""

import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import GeometryError
from recon.geometry.spherical_harmonics import evaluate_harmonics, num_coefficients

_MAX_DEGREE = 3


def check_colors(colors: Tensor, num: int, num_cameras: int, sh_degree: int | None) -> None:
    """Raise GeometryError unless `colors` has a shape that belongs to `sh_degree`."""
    shape = tuple(colors.shape)
    if sh_degree is None:
        if shape[:-1] not in ((num,), (num_cameras, num)):
            raise GeometryError(
                f"colors has shape {shape}, expected [{num}, channels] or [{num_cameras}, {num}, channels]",
                hint="spherical-harmonic coefficients need sh_degree",
            )
        return
    if not 0 <= sh_degree <= _MAX_DEGREE:
        raise GeometryError(f"sh_degree is {sh_degree}, expected 0 to {_MAX_DEGREE}")
    if len(shape) != 3 or shape[0] != num or shape[1] < num_coefficients(sh_degree):
        raise GeometryError(
            f"colors has shape {shape}, expected [{num}, >= {num_coefficients(sh_degree)}, 3] for sh_degree {sh_degree}"
        )


def camera_centers(viewmats: Float[Tensor, "cameras 4 4"]) -> Float[Tensor, "cameras 3"]:
    """World positions; by the general inverse, so that the gradient treats the matrices as free numbers (gsplat)."""
    return torch.linalg.inv(viewmats)[:, :3, 3]


def view_colors(
    means: Float[Tensor, "gaussians 3"],
    colors: Float[Tensor, "..."],
    viewmats: Float[Tensor, "cameras 4 4"],
    sh_degree: int | None,
) -> Float[Tensor, "sets gaussians channels"]:
    """Colours per camera, or one set for all cameras where they do not depend on the view.

    Spherical harmonics are evaluated in the direction from the camera centre to the mean, moved by 0.5 and cut off
    below 0.
    """
    if sh_degree is None:
        return colors if colors.ndim == 3 else colors[None]
    if sh_degree == 0:
        return torch.clamp_min(evaluate_harmonics(colors, means, 0) + 0.5, 0)[None]
    directions = means - camera_centers(viewmats)[:, None]
    return torch.clamp_min(evaluate_harmonics(colors, directions, sh_degree) + 0.5, 0)
