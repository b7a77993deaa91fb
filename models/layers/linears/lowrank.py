"""A matrix of low rank: down to few numbers, up again (Wei et al. 2024, "Structured FFN")."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear

from models.layers.linears.factored import Factored, split_svd


class LowRank(Factored):
    """W = up down, of rank r; r (n + m) numbers.

    Starts as the best approximation of a matrix drawn from N(0, 1/n) ("spectral initialisation"); factors that are
    drawn themselves train worse.

    Args:
        in_features: n, the width of the input.
        out_features: m, the width of the output.
        rank: r.
        bias: Whether a bias is added.
    """

    def __init__(self, in_features: int, out_features: int, rank: int, *, bias: bool = False):
        super().__init__(in_features, out_features, bias=bias)
        up, down = _spectral_factors(in_features, out_features, rank)
        self.input_core = nn.Parameter(down[None])
        self.up = nn.Parameter(up)

    def multiply_rows(self, x: Float[Tensor, "rows in_features"]) -> Float[Tensor, "rows out_features"]:
        """Two products."""
        return linear(linear(x, self.input_core[0]), self.up)

    def materialise(self) -> Float[Tensor, "out_features in_features"]:
        """The product of the two."""
        return self.up @ self.input_core[0]

    def cores(self) -> list[tuple[nn.Parameter, int]]:
        """The way down and the way up."""
        return [(self.input_core, self.in_features), (self.up, self.up.shape[1])]

    def fit(self, weight: Float[Tensor, "out_features in_features"]) -> None:
        """Truncated singular value decomposition."""
        up, down = split_svd(weight, self.up.shape[1])
        self.up.copy_(up)
        self.input_core.copy_(down[None])


def _spectral_factors(in_features: int, out_features: int, rank: int) -> tuple[Tensor, Tensor]:
    """Split truncated decomposition of a random matrix, from the eigenvectors of its smaller Gram matrix."""
    tall = torch.randn(max(in_features, out_features), min(in_features, out_features)) * in_features**-0.5
    squares, vectors = torch.linalg.eigh(tall.mT @ tall)
    vectors, fourth_root = vectors[:, -rank:], squares[-rank:].clamp(min=1e-12) ** 0.25
    long, short = (tall @ vectors) / fourth_root, vectors * fourth_root
    return (long, short.mT) if out_features >= in_features else (short, long.mT)
