"""A block-diagonal matrix and a dense one after it (Wei et al. 2024)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear

from models.layers.linears.factored import Factored, block_products, orthogonal_blocks, split_svd
from models.layers.linears.sizes import check_blocks


class BlockDense(Factored):
    """k blocks on slices of the input give r numbers, which a dense matrix takes to the output; r (n/k + m) numbers.

    Args:
        in_features: n, the width of the input.
        out_features: m, the width of the output.
        blocks: k.
        rank: r.
        bias: Whether a bias is added.

    Raises:
        InputError: The blocks do not divide the input and the rank.
    """

    def __init__(self, in_features: int, out_features: int, blocks: int, rank: int, *, bias: bool = False):
        super().__init__(in_features, out_features, bias=bias)
        check_blocks(blocks, in_features, rank)
        self.input_core = nn.Parameter(orthogonal_blocks(blocks, rank // blocks, in_features // blocks))
        self.up = nn.Parameter(orthogonal_blocks(1, out_features, rank)[0])

    def multiply_rows(self, x: Float[Tensor, "rows in_features"]) -> Float[Tensor, "rows out_features"]:
        """A batched product and a dense one."""
        return linear(block_products(x, self.input_core).transpose(0, 1).flatten(1), self.up)

    def materialise(self) -> Float[Tensor, "out_features in_features"]:
        """The columns of every slice are a matrix of low rank."""
        return torch.einsum(
            "mkr, krp -> mkp", self.up.unflatten(1, self.input_core.shape[:2]), self.input_core
        ).flatten(1)

    def cores(self) -> list[tuple[nn.Parameter, int]]:
        """The blocks and the dense matrix."""
        return [(self.input_core, self.input_core.shape[2]), (self.up, self.up.shape[1])]

    def fit(self, weight: Float[Tensor, "out_features in_features"]) -> None:
        """The nearest such matrix: a truncated decomposition of the columns of every slice."""
        blocks, height, width = self.input_core.shape
        left, right = split_svd(weight.reshape(-1, blocks, width).transpose(0, 1), height)
        self.up.copy_(left.transpose(0, 1).flatten(1))
        self.input_core.copy_(right)
