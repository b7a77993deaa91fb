"""Experimental: very many experts of one hidden unit each, found by product keys (PEER, He 2024)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import gelu

from models.layers.contracts import FeedForward, Mode
from models.layers.feedforwards.parts import require_full_width, uniform_rows
from models.layers.linears.dense import Dense
from models.layers.macs import macs_of


class Peer(FeedForward):
    """y = sum over heads and their best experts of softmax(score) gelu(u.x) v.

    A head's query has two halves. Each is compared with `side` sub-keys; the best `top` of each half make top^2 pairs,
    of which the best `top` name the experts. Fetching 2 heads * top rows for every token is bound by memory: on a CPU
    this is several times slower than a dense layer.

    Args:
        dim: Token width, even.
        side: Square root of the number of experts.
        heads: Independent searches.
        top: Experts of each search; no more than `side`.
    """

    def __init__(self, dim: int, side: int = 16, heads: int = 8, top: int = 16):
        super().__init__(dim)
        self.dim, self.side, self.heads, self.top, self.half_width = dim, side, heads, min(top, side), dim // 2
        self.query = Dense(dim, heads * 2 * self.half_width)
        self.keys = nn.Parameter(0.02 * torch.randn(heads * 2 * side, self.half_width))
        self.up = uniform_rows(side * side, dim, dim)
        self.down = uniform_rows(side * side, dim, heads * self.top)

    def update(
        self,
        normed: Float[Tensor, "batch length dim"],
        *,
        group_ids: Int[Tensor, "*batch length"] | None = None,
        width: float = 1.0,
    ) -> Float[Tensor, "batch length dim"]:
        """The update from normed tokens, head by head to bound memory."""
        require_full_width(width)
        x = normed.reshape(-1, self.dim)
        queries = self.query(x).unflatten(-1, (self.heads, 2, self.half_width))
        keys = self.keys.view(self.heads, 2, self.side, self.half_width)
        parts = [self._head(x, queries[:, head], keys[head]) for head in range(self.heads)]
        return torch.stack(parts).sum(dim=0).view(normed.shape)

    def chosen(
        self, query: Float[Tensor, "tokens 2 half"], keys: Float[Tensor, "2 side half"]
    ) -> tuple[Float[Tensor, "tokens top"], Int[Tensor, "tokens top"]]:
        """Scores and numbers of the best experts; expert (i, j) of the two halves has number i * side + j."""
        first, second = (query[:, half] @ keys[half].T for half in range(2))
        (s1, i1), (s2, i2) = first.topk(self.top, dim=-1), second.topk(self.top, dim=-1)
        scores = (s1[:, :, None] + s2[:, None, :]).flatten(1)
        numbers = (i1[:, :, None] * self.side + i2[:, None, :]).flatten(1)
        best, place = scores.topk(self.top, dim=-1)
        return best, numbers.gather(1, place)

    def _head(
        self, x: Float[Tensor, "tokens dim"], query: Float[Tensor, "tokens 2 half"], keys: Float[Tensor, "2 side half"]
    ) -> Float[Tensor, "tokens dim"]:
        scores, experts = self.chosen(query, keys)
        hidden = gelu(torch.bmm(self.up[experts], x[:, :, None])[..., 0])
        weights = scores.softmax(dim=-1).to(hidden.dtype) * hidden
        return torch.bmm(weights[:, None], self.down[experts])[:, 0]

    def macs(self, num_tokens: int, mode: Mode) -> int:
        """Queries, sub-keys and the experts that were found."""
        scores = self.heads * 2 * self.side * self.half_width
        return num_tokens * (macs_of(self.query) + scores + 2 * self.heads * self.top * self.dim)
