"""Tokens see averages of their neighbourhoods: fewer keys, all places."""

from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from models.layers.attentions.multihead import PLAIN, MultiHead
from models.layers.attentions.parts import (
    pooled,
    pooled_layout,
    require_no_memory,
    require_shared_projections,
    require_views,
)
from models.layers.config import AttentionConfig
from models.layers.contracts import Layout, Ragged
from models.layers.macs import macs_of


class PooledKeysAttention(MultiHead):
    """Queries of every token; keys and values of the averages over cells of every view's map.

    Averages are taken before the projections, which as linear maps do not mind and are cheaper so. Prefix tokens are
    keys of their own.

    Args:
        dim: Token width.
        head_dim: Width of one head.
        config: `pool` is the side of a cell.
    """

    q: nn.Module
    k: nn.Module
    v: nn.Module

    def __init__(self, dim: int, head_dim: int, config: AttentionConfig = PLAIN):
        require_shared_projections(config, "pooled_keys")
        super().__init__(dim, head_dim, config, {"q": dim, "k": dim, "v": dim})
        self.pool = config.pool

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
        cells, _ = pooled(normed, require_views(layout, normed.shape[1]), self.pool)
        split = "b n (h c) -> b h n c"
        q = rearrange(self.q(normed), split, c=self.head_dim)
        k, v = (rearrange(project(cells), split, c=self.head_dim) for project in (self.k, self.v))
        return self.proj(rearrange(self.mix(*self.normalised(q, k), v), "b h n c -> b n (h c)"))

    def macs(self, layout: Layout, num_queries: int | None = None) -> int:
        """Projections of tokens and of averages, scores and mixing of every pair of token and average."""
        cells = pooled_layout(layout, self.pool).length
        projections = layout.length * macs_of(self.q, self.proj) + cells * macs_of(self.k, self.v)
        return projections + self.score_macs(layout.length, cells)
