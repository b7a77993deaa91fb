"""Each place of the picture looks along the sequence of views, for captures whose order means something."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import gelu, pad

from models.layers.attentions.multihead import PLAIN
from models.layers.attentions.parts import (
    require_equal_ranks,
    require_no_memory,
    require_shared_projections,
    require_views,
)
from models.layers.config import AttentionConfig
from models.layers.contracts import Attention, Layout, Ragged
from models.layers.linears import finalise_guides, make_linear
from models.layers.macs import macs_of
from recon.errors import InputError

LEVELS = 4
TAPS = 2
"""With four levels of two taps every view sees fifteen before and after it."""


class CausalMultires(nn.Module):
    """A tree of dilated filters of each channel, as in wavelet transforms (Shi et al. 2023, section 3).

    With a_0 = x and dilation 2^j: detail d_j = h1 * a_j, approximation a_{j+1} = h0 * a_j, for the same two filters at
    every level; the output is w x + sum_j w_j d_j + w' a_last.

    Args:
        dim: Channels.
        levels: Depth of the tree.
        taps: Length of the filters.
    """

    def __init__(self, dim: int, levels: int = LEVELS, taps: int = TAPS):
        super().__init__()
        self.levels = levels
        self.low = nn.Parameter(torch.randn(taps, dim) / math.sqrt(taps))
        self.high = nn.Parameter(torch.randn(taps, dim) / math.sqrt(taps))
        self.weights = nn.Parameter(torch.randn(levels + 2, dim) / math.sqrt(levels + 2))

    def forward(self, x: Float[Tensor, "batch steps places dim"]) -> Float[Tensor, "batch steps places dim"]:
        """What each step makes of itself and the steps before it, at every place."""
        out, approximation = self.weights[0] * x, x
        for level in range(self.levels):
            out = out + self.weights[level + 1] * _filtered(approximation, self.high, 2**level)
            approximation = _filtered(approximation, self.low, 2**level)
        return out + self.weights[-1] * approximation

    def macs(self) -> int:
        """Multiply-adds for one token."""
        return 2 * self.levels * self.low.numel() + self.weights.numel()


class MultiresConvolution(Attention):
    """The tree forwards and backwards along the views at every place of the map, GELU, projection.

    No place sees another one, so this suits views that move little from one to the next. Prefix tokens are sequences of
    one.

    Args:
        dim: Token width.
        head_dim: Not used; there are no heads.
        config: Kind of the projection; registers are refused.
    """

    def __init__(self, dim: int, head_dim: int, config: AttentionConfig = PLAIN):
        super().__init__(dim)
        require_shared_projections(config, "multires_conv")
        require_equal_ranks(config, "multires_conv")
        if config.registers:
            raise InputError(
                f"{config.registers} registers for multires_conv, which has no keys", hint="set registers to 0"
            )
        self.ahead, self.back = CausalMultires(dim), CausalMultires(dim)
        self.proj = make_linear(config.linear, dim, dim)

    def update(
        self,
        normed: Float[Tensor, "batch length dim"],
        memory: Float[Tensor, "batch keys dim"] | None = None,
        *,
        layout: Layout | Ragged | None = None,
        group_ids: Int[Tensor, "*batch length"] | None = None,
    ) -> Float[Tensor, "batch length dim"]:
        """The update from normed tokens."""
        require_no_memory(memory)
        layout = require_views(layout, normed.shape[1])
        prefix, patches = normed.split([layout.prefix, layout.length - layout.prefix], dim=1)
        mixed = self._both_ways(patches.unflatten(1, (layout.views, layout.height * layout.width))).flatten(1, 2)
        if layout.prefix:
            mixed = torch.cat([self._both_ways(prefix[:, None])[:, 0], mixed], dim=1)
        return self.proj(gelu(mixed))

    def _both_ways(self, x: Float[Tensor, "batch steps places dim"]) -> Float[Tensor, "batch steps places dim"]:
        return self.ahead(x) + self.back(x.flip(1)).flip(1)

    def macs(self, layout: Layout, num_queries: int | None = None) -> int:
        """Filters of every channel and the projection, for every token."""
        return layout.length * (self.ahead.macs() + self.back.macs() + macs_of(self.proj))

    def finalise(self) -> None:
        """Bring the projection into the form that is used."""
        finalise_guides(self)


def _filtered(x: Tensor, taps: Float[Tensor, "taps dim"], dilation: int) -> Tensor:
    """sum_i taps_i x(step - i dilation); what is before the first step counts as zero."""
    out = taps[0] * x
    for i in range(1, len(taps)):
        if (shift := i * dilation) < x.shape[1]:
            out = out + taps[i] * pad(x[:, :-shift], (0, 0, 0, 0, shift, 0))
    return out
