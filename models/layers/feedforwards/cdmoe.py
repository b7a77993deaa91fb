"""Experimental: a gated layer beside very many small experts (cross-domain mixture of experts, Shi et al. 2024)."""

from jaxtyping import Float, Int
from torch import Tensor

from models.layers.contracts import FeedForward, Mode
from models.layers.feedforwards.peer import Peer
from models.layers.feedforwards.swiglu import SwiGLU


class CrossDomainExperts(FeedForward):
    """SwiGLU of half the width for what all tokens need, plus `Peer` for what few need.

    The sub-keys begin as random numbers: zeros, as published code has them, make all experts tie.

    Args:
        dim: Token width.
        ratio: Of the GELU layer of which the shared part has half the parameters.
        side: Square root of the number of experts.
        heads: Of the search.
        top: Experts of each head.
    """

    def __init__(self, dim: int, ratio: float = 4.0, side: int = 16, heads: int = 4, top: int = 8):
        super().__init__(dim)
        self.shared, self.experts = SwiGLU(dim, ratio / 2), Peer(dim, side, heads, top)
        del self.shared.norm, self.experts.norm

    def update(
        self,
        normed: Float[Tensor, "batch length dim"],
        *,
        group_ids: Int[Tensor, "*batch length"] | None = None,
        width: float = 1.0,
    ) -> Float[Tensor, "batch length dim"]:
        """The sum of both parts."""
        return self.shared.update(normed, width=width) + self.experts.update(normed, width=width)

    def macs(self, num_tokens: int, mode: Mode) -> int:
        """Both parts."""
        return self.shared.macs(num_tokens, mode) + self.experts.macs(num_tokens, mode)
