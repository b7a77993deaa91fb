"""Small separable filters."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor


def filter_inside(x: Float[Tensor, "*n height width"], taps: Sequence[float]) -> Float[Tensor, "*n _ _"]:
    """The same odd filter along both axes, where it lies fully inside: the result is smaller by len(taps) - 1.

    It is a sum of shifted copies: on a CPU ten times as fast as a convolution of single channels, and not brought to
    16 bits by autocast, in which differences of such means would drown.
    """
    height, width = (size - len(taps) + 1 for size in x.shape[-2:])
    rows = sum((tap * x[..., i : i + height, :] for i, tap in enumerate(taps)), start=x.new_zeros(()))
    return sum((tap * rows[..., i : i + width] for i, tap in enumerate(taps)), start=x.new_zeros(()))
