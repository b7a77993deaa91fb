"""High frequencies by small filters inside each view, low frequencies by attention between averages."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import gelu, interpolate, max_pool2d

from models.layers.attentions.full import SelfAttention
from models.layers.attentions.multihead import PLAIN
from models.layers.attentions.parts import (
    as_maps,
    as_tokens,
    pooled,
    pooled_layout,
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


class InceptionAttention(Attention):
    """Channels in three parts that are mixed at different scales (Si et al. 2022, section 3.1).

    The first half of the heads attends, with queries, keys and values averaged over cells of the map, and the answers
    spread over their cells again. Of the other channels one half goes through a 3 x 3 filter of each channel, one half
    through the maximum of 3 x 3 neighbours, both twice as wide. Joined, a 3 x 3 filter of each channel and a projection
    follow. Filters and averages stay inside a view; the averages of all views attend to each other, for otherwise views
    would learn nothing from each other. Prefix tokens attend, and are not filtered.

    Args:
        dim: Token width.
        head_dim: Width of one head.
        config: `pool` is the side of a cell.
    """

    def __init__(self, dim: int, head_dim: int, config: AttentionConfig = PLAIN):
        super().__init__(dim)
        require_shared_projections(config, "inception")
        require_equal_ranks(config, "inception")
        num_heads = dim // head_dim
        if num_heads < 2:
            raise InputError(
                f"inception shares {num_heads} head of width {head_dim} between attention and filters, expected 2",
                hint="lower head_dim, or take another kind of attention",
            )
        self.pool = config.pool
        low = num_heads // 2 * head_dim
        filtered = (dim - low) // 2
        self.widths = [low, filtered, dim - low - filtered]
        self.attend = SelfAttention(low, head_dim, config)
        self.attend.norm = nn.Identity()
        self.filter_in = make_linear(config.linear, filtered, 2 * filtered)
        self.filter = _depthwise(2 * filtered)
        self.peak_out = make_linear(config.linear, self.widths[2], 2 * self.widths[2])
        self.fuse = _depthwise(2 * dim - low)
        self.proj = make_linear(config.linear, 2 * dim - low, dim)

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
        sides = [layout.prefix, layout.length - layout.prefix]
        low, filtered, peaks = normed.split(self.widths, dim=-1)
        low_prefix, low_maps = self._low(low, layout)
        high = [
            gelu(self.filter(as_maps(self.filter_in(filtered.split(sides, 1)[1]), layout))),
            gelu(as_maps(self.peak_out(as_tokens(_peaks(peaks.split(sides, 1)[1], layout), layout)), layout)),
        ]
        maps = torch.cat([low_maps, *high], dim=1)
        patches = as_tokens(maps + self.fuse(maps), layout)
        prefix = nn.functional.pad(low_prefix, (0, patches.shape[-1] - low_prefix.shape[-1]))
        return self.proj(torch.cat([prefix, patches], dim=1))

    def _low(self, low: Float[Tensor, "batch length low"], layout: Layout) -> tuple[Tensor, Tensor]:
        """Answers to the prefix tokens, and to the cells as maps of the full size."""
        cells, cell_layout = pooled(low, layout, self.pool)
        answers = self.attend(cells)
        prefix, patches = answers.split([layout.prefix, answers.shape[1] - layout.prefix], dim=1)
        maps = interpolate(as_maps(patches, cell_layout), scale_factor=self.pool, mode="nearest")
        return prefix, maps[..., : layout.height, : layout.width]

    def macs(self, layout: Layout, num_queries: int | None = None) -> int:
        """Attention between averages; filters and projections of every token (of the prefix the last one only)."""
        patches = layout.length - layout.prefix
        maps = macs_of(self.filter_in, self.peak_out) + self.filter.weight.numel() + self.fuse.weight.numel()
        return self.attend.macs(pooled_layout(layout, self.pool)) + patches * maps + layout.length * macs_of(self.proj)

    def finalise(self) -> None:
        """Bring the linear maps into the form that is used."""
        finalise_guides(self)


def _depthwise(channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)


def _peaks(patches: Float[Tensor, "batch patches dim"], layout: Layout) -> Float[Tensor, "maps dim height width"]:
    return max_pool2d(as_maps(patches, layout), 3, stride=1, padding=1)
