"""Tokens see a memory, not each other."""

from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from models.layers.attentions.multihead import PLAIN, MultiHead
from models.layers.attentions.parts import require_shared_projections
from models.layers.config import AttentionConfig
from models.layers.contracts import Layout, Ragged
from models.layers.macs import macs_of
from recon.errors import InputError


class CrossAttention(MultiHead):
    """Pre-normed attention of tokens to a fixed memory; optionally several sub-queries per token.

    With `uplift` = u every token asks u questions: the query projection is u times as wide, its channels laid out
    (head, channel, sub-query), and the u answers are joined in the same layout before the output projection. This
    lets low-resolution tokens read high-resolution memory (token uplifting, iLRM section 3.3).

    Args:
        dim: Token width.
        head_dim: Width of one head.
        uplift: Sub-queries per token.
        config: Registers, norms of queries and keys, kind of the projections.
    """

    q: nn.Module
    k: nn.Module
    v: nn.Module

    def __init__(self, dim: int, head_dim: int, uplift: int = 1, config: AttentionConfig = PLAIN):
        require_shared_projections(config, "cross-attention")
        super().__init__(dim, head_dim, config, {"q": uplift * dim, "k": dim, "v": dim}, joined=uplift * dim)
        self.uplift = uplift

    def update(
        self,
        normed: Float[Tensor, "batch length dim"],
        memory: Float[Tensor, "batch keys dim"] | None = None,
        *,
        layout: Layout | Ragged | None = None,
        group_ids: Int[Tensor, "*batch length"] | None = None,
    ) -> Float[Tensor, "batch length dim"]:
        """The update from normed tokens; a `Ragged` layout says which part of the memory each sequence sees.

        Raises:
            InputError: There is no memory.
        """
        if memory is None:
            raise InputError("cross-attention was given no memory to read", hint="pass memory, or use SelfAttention")
        q = rearrange(self.q(normed), "b n (h c u) -> b h (n u) c", c=self.head_dim, u=self.uplift)
        k = rearrange(self.k(memory), "b m (h c) -> b h m c", c=self.head_dim)
        v = rearrange(self.v(memory), "b m (h c) -> b h m c", c=self.head_dim)
        ragged = None
        if isinstance(layout, Ragged):
            ragged = Ragged(tuple(self.uplift * length for length in layout.lengths), layout.of_keys)
        answers = self.mix(*self.normalised(q, k), v, ragged=ragged)
        return self.proj(rearrange(answers, "b h (n u) c -> b n (h c u)", u=self.uplift))

    def macs(self, layout: Layout, num_queries: int | None = None) -> int:
        """Projections of tokens and memory, scores and mixing of every pair of sub-query and key."""
        queries = layout.length if num_queries is None else num_queries
        projections = queries * macs_of(self.q, self.proj) + layout.length * macs_of(self.k, self.v)
        return projections + self.score_macs(self.uplift * queries, layout.length)
