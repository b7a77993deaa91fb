"""Losses between images."""

from jaxtyping import Float
from torch import Tensor


def gradient_l1(
    rendered: Float[Tensor, "*n 3 height width"], target: Float[Tensor, "*n 3 height width"]
) -> Float[Tensor, ""]:
    """Mean absolute difference of horizontal and vertical finite differences: sharp edges in the right place."""
    error = rendered - target
    dx = (error[..., :, 1:] - error[..., :, :-1]).abs().mean()
    dy = (error[..., 1:, :] - error[..., :-1, :]).abs().mean()
    return (dx + dy) / 2
