"""Structural dissimilarity, differentiable (Wang et al. 2004)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import InputError
from recon.losses.separable import filter_inside

TAPS, SIGMA = 11, 1.5
_WEIGHTS = [math.exp(-((i - TAPS // 2) ** 2) / (2 * SIGMA**2)) for i in range(TAPS)]
WINDOW = tuple(weight / sum(_WEIGHTS) for weight in _WEIGHTS)
C1, C2 = 0.01**2, 0.03**2
"""Of values with a range of 1."""


def ssim_map(
    a: Float[Tensor, "*n channels height width"], b: Float[Tensor, "*n channels height width"]
) -> Float[Tensor, "*n channels _ _"]:
    """Similarity around each pixel that is at least 5 from the border, channel by channel: 1 where both are equal.

    Windows are Gaussian with 11 taps and a deviation of 1.5 pixels; means, variances and covariance are weighted by
    them without correction for bias.

    Raises:
        InputError: The images are smaller than the window.
    """
    if min(a.shape[-2:]) < TAPS:
        raise InputError(f"images of {a.shape[-1]} x {a.shape[-2]} pixels, expected at least {TAPS} on each side")
    mean_a, mean_b, square_a, square_b, product = filter_inside(
        torch.stack([a, b, a * a, b * b, a * b]), WINDOW
    ).unbind(0)
    variance_a, variance_b = square_a - mean_a**2, square_b - mean_b**2
    luminance = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    return luminance * (2 * (product - mean_a * mean_b) + C2) / (variance_a + variance_b + C2)


def ssim_loss(
    rendered: Float[Tensor, "*n 3 height width"], target: Float[Tensor, "*n 3 height width"]
) -> Float[Tensor, ""]:
    """(1 - SSIM) / 2, the mean over pixels: 0 for equal images, at most 1. It needs no weights.

    Raises:
        InputError: The images are smaller than 11 pixels.
    """
    return (1 - ssim_map(rendered, target).mean()) / 2
