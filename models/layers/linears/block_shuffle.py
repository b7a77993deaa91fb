"""Two block-diagonal matrices with a shuffle between them (Monarch; Dao et al. 2022, Wei et al. 2024)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.layers.linears.factored import Factored, block_products, orthogonal_blocks, split_svd
from models.layers.linears.sizes import check_blocks


class BlockShuffle(Factored):
    """k blocks on slices of the input, a shuffle that deals their outputs to k other blocks, and an interleaved output.

    With s = min(n, m) numbers in the middle, s/k (n + m) numbers in all. Middle number j goes to block j mod k;
    output i is number i div k of block i mod k.

    Args:
        in_features: n, the width of the input.
        out_features: m, the width of the output.
        blocks: k, which divides both.
        bias: Whether a bias is added.

    Raises:
        InputError: The blocks do not divide both sides.
    """

    def __init__(self, in_features: int, out_features: int, blocks: int, *, bias: bool = False):
        super().__init__(in_features, out_features, bias=bias)
        check_blocks(blocks, in_features, out_features)
        middle = min(in_features, out_features) // blocks
        self.input_core = nn.Parameter(orthogonal_blocks(blocks, middle, in_features // blocks))
        self.second = nn.Parameter(orthogonal_blocks(blocks, out_features // blocks, middle))

    def multiply_rows(self, x: Float[Tensor, "rows in_features"]) -> Float[Tensor, "rows height blocks"]:
        """Two batched products, each followed by a transposition."""
        blocks, middle, _ = self.input_core.shape
        parts = block_products(x, self.input_core)
        if middle % blocks == 0:  # the same shuffle with one copy less
            dealt = parts.unflatten(2, (-1, blocks)).permute(3, 1, 0, 2).flatten(2)
        else:
            dealt = parts.transpose(0, 1).reshape(-1, middle, blocks).permute(2, 0, 1)
        return torch.bmm(dealt, self.second.transpose(1, 2)).permute(1, 2, 0)

    def materialise(self) -> Float[Tensor, "out_features in_features"]:
        """The product of the two sparse matrices."""
        first = torch.block_diag(*self.input_core)
        dealt = first.unflatten(0, (-1, self.input_core.shape[0]))
        return torch.einsum("lsr, rln -> sln", self.second, dealt).flatten(0, 1)

    def cores(self) -> list[tuple[nn.Parameter, int]]:
        """Both sets of blocks."""
        return [(self.input_core, self.input_core.shape[2]), (self.second, self.second.shape[2])]

    def fit(self, weight: Float[Tensor, "out_features in_features"]) -> None:
        """The nearest such matrix: every pair of a first and a second block is a matrix of low rank of its own."""
        blocks, middle, width = self.input_core.shape
        pieces = weight.reshape(-1, blocks, blocks, width).permute(1, 2, 0, 3)
        left, right = split_svd(pieces, -(-middle // blocks))
        for source in range(blocks):
            numbers = torch.arange(source * middle, (source + 1) * middle, device=weight.device)
            for target in range(blocks):
                chosen = numbers[numbers % blocks == target]
                self.second[target][:, chosen // blocks] = left[target, source, :, : len(chosen)].to(self.second.dtype)
                self.input_core[source][chosen - source * middle] = right[target, source, : len(chosen)].to(
                    self.input_core.dtype
                )
