"""Feed-forward layers whose first hidden units are a smaller layer of their own (MatFormer, Devvrit et al. 2023)."""

from functools import partial
from typing import cast

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import linear

from models.layers.feedforwards.cutting import first_hidden_units
from models.layers.feedforwards.gelu import GeluFeedForward
from models.layers.feedforwards.swiglu import SwiGLU
from models.layers.feedforwards.two_maps import TwoMaps
from models.layers.linears.dense import Dense
from recon.errors import InputError

WIDTHS = (0.125, 0.25, 0.5, 1.0)
"""Shares of the hidden width that the layers have. Train with one drawn for each step, or with the losses of all."""


def units_of(width: float, hidden_width: int) -> int:
    """Hidden units of a share of the width.

    Raises:
        InputError: If the share is none of `WIDTHS`.
    """
    if width not in WIDTHS:
        raise InputError(
            f"asked for {width} of the hidden width of a nested layer",
            hint=f"give one of {', '.join(map(str, WIDTHS))}",
        )
    return max(1, int(width * hidden_width))


class _Nested(TwoMaps):
    """What both nested layers do with `units` of their hidden width; parameters are those of the plain layer."""

    def update(
        self,
        normed: Float[Tensor, "batch length dim"],
        *,
        group_ids: Int[Tensor, "*batch length"] | None = None,
        width: float = 1.0,
    ) -> Float[Tensor, "batch length dim"]:
        """The update of the first `width` of the hidden units; the output bias, if any, is whole.

        One product with the first rows, which are a view, for every number of a unit.
        """
        units = units_of(width, self.hidden_width)
        fc1, fc2, times = cast(Dense, self.fc1), cast(Dense, self.fc2), self.numbers_per_unit
        biases = [None] * times if fc1.bias is None else [bias[:units] for bias in fc1.bias.chunk(times)]
        rows = zip(fc1.weight.chunk(times), biases, strict=True)
        hidden = self.activated(*(linear(normed, weight[:units], bias) for weight, bias in rows))
        return linear(hidden, fc2.weight[:, :units], fc2.bias)

    def macs_at(self, num_tokens: int, width: float) -> int:
        """Multiply-adds of `update` at a share of the width."""
        units = units_of(width, self.hidden_width)
        return num_tokens * (self.numbers_per_unit + 1) * units * cast(Dense, self.fc1).in_features

    def cut(self, width: float) -> TwoMaps:
        """A plain layer with contiguous copies of the first hidden units and of the norm."""
        return first_hidden_units(self, units_of(width, self.hidden_width))


class NestedGelu(_Nested, GeluFeedForward):
    """A GELU layer that also runs with the first eighth, quarter or half of its hidden units.

    The parameters are those of `GeluFeedForward`: a trained one can be loaded, its units best ordered first
    (`models.layers.feedforwards.importance`).

    Args:
        dim: Token width.
        ratio: Hidden width over token width at full width.
        bias: Whether the maps have biases.
    """

    def __init__(self, dim: int, ratio: float = 4.0, *, bias: bool = False):
        super().__init__(dim, ratio, partial(Dense, bias=bias))


class NestedSwiGLU(_Nested, SwiGLU):
    """A gated layer that also runs with the first eighth, quarter or half of its hidden units.

    Args:
        dim: Token width.
        ratio: As for `SwiGLU`.
    """

    def __init__(self, dim: int, ratio: float = 4.0):
        super().__init__(dim, ratio)


NESTED = (NestedGelu, NestedSwiGLU)
"""They multiply by slices of their weights, and do not call their maps."""
