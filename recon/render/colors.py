"""What colour each camera sees of each Gaussian."""

import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import GeometryError
from recon.geometry.spherical_harmonics import evaluate_harmonics, num_coefficients


def view_colors(
    means: Float[Tensor, "gaussians 3"],
    colors: Float[Tensor, "..."],
    viewmats: Float[Tensor, "cameras 4 4"],
    sh_degree: int | None,
) -> Float[Tensor, "sets gaussians channels"]:
    """Colours per camera, or one set for all cameras where they do not depend on the view.

    Spherical harmonics are evaluated in the direction from the camera centre to the mean, moved by 0.5 and cut off
    below 0.

    Raises:
        GeometryError: `colors` has none of the shapes that belong to `sh_degree`.
    """
    num, num_cameras = len(means), len(viewmats)
    if sh_degree is None:
        if colors.ndim == 2 and len(colors) == num:
            return colors[None]
        if colors.ndim == 3 and colors.shape[:2] == (num_cameras, num):
            return colors
        raise GeometryError(
            f"colors has shape {tuple(colors.shape)}, expected [{num}, channels] or [{num_cameras}, {num}, channels]",
            hint="spherical-harmonic coefficients need sh_degree",
        )
    if colors.ndim != 3 or len(colors) != num or colors.shape[1] < num_coefficients(sh_degree):
        raise GeometryError(
            f"colors has shape {tuple(colors.shape)}, expected [{num}, >= {num_coefficients(sh_degree)}, 3]"
            f" for sh_degree {sh_degree}"
        )
    if sh_degree == 0:
        return torch.clamp_min(evaluate_harmonics(colors, means, 0) + 0.5, 0)[None]
    centers = torch.linalg.inv(viewmats)[:, :3, 3]
    directions = means - centers[:, None]
    return torch.clamp_min(evaluate_harmonics(colors, directions, sh_degree) + 0.5, 0)
