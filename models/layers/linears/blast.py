"""Blocks that share their factors (BLAST; Lee et al. 2024)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.layers.linears.blast_fit import fit_blast
from models.layers.linears.factored import Factored, block_products, split_svd
from models.layers.linears.sizes import check_blocks


class Blast(Factored):
    """Block (i, j) of b x b is left_i diag(diagonal_ij) right_j, of rank r; r (n + m + b^2) numbers.

    Equal diagonals make a matrix of low rank, zeros off i = j a block-diagonal one. Starts so that outputs keep the
    variance of inputs: diagonals uniform in 0..2, whose mean square is 4/3.

    Args:
        in_features: n, the width of the input.
        out_features: m, the width of the output.
        blocks: b.
        rank: r.
        bias: Whether a bias is added.

    Raises:
        InputError: The blocks do not divide both sides.
    """

    def __init__(self, in_features: int, out_features: int, blocks: int, rank: int, *, bias: bool = False):
        super().__init__(in_features, out_features, bias=bias)
        check_blocks(blocks, in_features, out_features)
        self.input_core = nn.Parameter(torch.randn(blocks, rank, in_features // blocks) * in_features**-0.5)
        self.diagonal = nn.Parameter(2 * torch.rand(blocks, blocks, rank))
        self.left = nn.Parameter(torch.randn(blocks, out_features // blocks, rank) * (0.75 / rank) ** 0.5)

    def multiply_rows(self, x: Float[Tensor, "rows in_features"]) -> Float[Tensor, "rows blocks height"]:
        """A batched product, sums weighted by the diagonals, a batched product."""
        parts = block_products(x, self.input_core)
        diagonal = self.diagonal.to(parts.dtype)[:, :, None]
        mixed = diagonal[:, 0] * parts[0]
        for j in range(1, len(parts)):
            mixed.addcmul_(diagonal[:, j], parts[j])
        return torch.bmm(mixed, self.left.transpose(1, 2)).transpose(0, 1)

    def materialise(self) -> Float[Tensor, "out_features in_features"]:
        """All blocks."""
        blocks = torch.einsum("ipr, ijr, jrq -> ipjq", self.left, self.diagonal, self.input_core)
        return blocks.flatten(2).flatten(0, 1)

    def cores(self) -> list[tuple[nn.Parameter, int]]:
        """right, the diagonals, left; the first two make sums over the whole input together."""
        return [
            (self.input_core, self.in_features),
            (self.diagonal, self.in_features),
            (self.left, self.left.shape[2]),
        ]

    def fit(self, weight: Float[Tensor, "out_features in_features"]) -> None:
        """Alternating least squares from the truncated decomposition, which it never is worse than."""
        blocks, rank, _ = self.input_core.shape
        std = weight.std().clamp(min=torch.finfo(weight.dtype).tiny)
        left, right = split_svd(weight / std, rank)
        left, right, diagonal = fit_blast(
            weight / std,
            left.unflatten(0, (blocks, -1)),
            right.unflatten(1, (blocks, -1)).transpose(0, 1),
            weight.new_ones(blocks, blocks, rank),
        )
        self.left.copy_(left)
        self.input_core.copy_(right)
        self.diagonal.copy_(diagonal * std)
