"""Turning spherical-harmonic colours with the world.

Each band of harmonics is closed under rotations: a turned function of degree l is again a sum of the 2l + 1 harmonics
of that degree (Wigner 1931; Green, "Spherical Harmonic Lighting: The Gritty Details", 2003). The matrix of a band
follows from the values of its harmonics at more directions than the band has members.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from recon.geometry.spherical_harmonics import harmonics, num_coefficients

_NUM_DIRECTIONS = 64


def rotate_harmonics(
    coefficients: Float[Tensor, "*batch coefficients channels"], a_from_b: Float[Tensor, "3 3"]
) -> Float[Tensor, "*batch coefficients channels"]:
    """Coefficients that give, in frame a, the colours that the given ones give in frame b.

    Args:
        coefficients: All bands up to a degree of 0 to 3, in frame b.
        a_from_b: A rotation.
    """
    degree = math.isqrt(coefficients.shape[-2]) - 1
    if degree == 0:
        return coefficients
    matrix = rotation_of_harmonics(a_from_b, degree).to(coefficients)
    return torch.einsum("jk,...kc->...jc", matrix, coefficients)


def rotation_of_harmonics(a_from_b: Float[Tensor, "3 3"], degree: int) -> Float[Tensor, "coefficients coefficients"]:
    """Orthogonal matrix, block by block over the bands, that turns coefficients from frame b to frame a; float64."""
    directions = _even_directions().to(a_from_b.device)
    at_a = torch.stack(harmonics(directions, degree), dim=-1)
    at_b = torch.stack(harmonics(directions @ a_from_b.double(), degree), dim=-1)
    matrix = torch.zeros(num_coefficients(degree), num_coefficients(degree), dtype=torch.float64, device=at_a.device)
    for band in range(degree + 1):
        members = slice(band**2, (band + 1) ** 2)
        matrix[members, members] = torch.linalg.lstsq(at_a[:, members], at_b[:, members]).solution
    return matrix


def _even_directions() -> Float[Tensor, "directions 3"]:
    """Unit directions spread evenly over the sphere along a golden spiral."""
    z = 1 - (2 * torch.arange(_NUM_DIRECTIONS, dtype=torch.float64) + 1) / _NUM_DIRECTIONS
    angle = torch.arange(_NUM_DIRECTIONS, dtype=torch.float64) * math.pi * (3 - math.sqrt(5))
    radius = (1 - z * z).sqrt()
    return torch.stack([radius * angle.cos(), radius * angle.sin(), z], dim=-1)
