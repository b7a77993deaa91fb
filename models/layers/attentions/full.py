"""Every token sees every token."""

from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from models.layers.attentions.multihead import PLAIN, MultiHead
from models.layers.attentions.parts import require_no_memory
from models.layers.config import AttentionConfig
from models.layers.contracts import Layout, Ragged
from models.layers.macs import macs_of


class SelfAttention(MultiHead):
    """Pre-normed self-attention; queries and keys are RMS-normalised per head (iLRM section 3.2).

    Args:
        dim: Token width.
        head_dim: Width of one head.
        config: Registers, norms of queries and keys, kind of the projections.
    """

    qkv: nn.Module

    def __init__(self, dim: int, head_dim: int, config: AttentionConfig = PLAIN):
        super().__init__(dim, head_dim, config, {"qkv": 3 * dim})

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
        q, k, v = rearrange(self.mapped("qkv", normed, group_ids), "b n (s h c) -> s b h n c", s=3, c=self.head_dim)
        joined = rearrange(self.answers(*self.normalised(q, k), v, layout), "b h n c -> b n (h c)")
        return self.mapped("proj", joined, group_ids)

    def answers(
        self,
        q: Float[Tensor, "batch heads length channels"],
        k: Float[Tensor, "batch heads length channels"],
        v: Float[Tensor, "batch heads length channels"],
        layout: Layout | Ragged | None,
    ) -> Float[Tensor, "batch heads length channels"]:
        """What every head of every token gets, from normalised queries and keys; subclasses see fewer keys."""
        return self.mix(q, k, v)

    def projection_macs(self, num_tokens: int) -> int:
        """Multiply-adds of the projections."""
        return num_tokens * macs_of(self.qkv, self.proj)

    def macs(self, layout: Layout, num_queries: int | None = None) -> int:
        """Projections of every token, scores and mixing of every pair."""
        return self.projection_macs(layout.length) + self.score_macs(layout.length, layout.length)
