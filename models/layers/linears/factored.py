"""Base of matrices that are kept as products of smaller ones."""

from abc import abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.layers.contracts import StructuredLinear


class Factored(StructuredLinear):
    """A linear map whose first factor, `input_core`, meets the input in equal slices."""

    input_core: nn.Parameter
    """[blocks, rows, in_features / blocks]: block b sees the b-th slice of the input."""

    def multiply(self, x: Float[Tensor, "*batch in_features"]) -> Float[Tensor, "*batch out_features"]:
        """The image of x before the bias."""
        return self.multiply_rows(x.reshape(-1, self.in_features)).reshape(*x.shape[:-1], self.out_features)

    @abstractmethod
    def multiply_rows(self, x: Float[Tensor, "rows in_features"]) -> Tensor:
        """The images of the rows of x, in any shape whose elements are in the order of [rows, out_features]."""

    @abstractmethod
    def fit(self, weight: Float[Tensor, "out_features in_features"]) -> None:
        """Set the factors so that their product comes near a matrix in the sum of squares."""

    def macs(self) -> int:
        """Multiply-adds for one input vector: every number of every factor is used once."""
        return sum(core.numel() for core, _ in self.cores())

    @torch.no_grad()
    def approximate(
        self,
        weight: Float[Tensor, "out_features in_features"],
        input_rms: Float[Tensor, " in_features"] | None = None,
    ) -> None:
        """Set the factors so that `materialise` comes near a dense matrix; the bias stays.

        Args:
            weight: The matrix.
            input_rms: Root mean square of every input channel on real data; errors are then weighted by it, so that
                the outputs rather than the entries are kept (the scaling of LoRAP, Li et al. 2024).
        """
        weight = weight.to(self.input_core.device, torch.promote_types(self.input_core.dtype, torch.float32))
        if input_rms is None:
            self.fit(weight)
            return
        rms = input_rms.to(weight)
        scale = rms.clamp(min=max(float(rms.max()) * 1e-3, torch.finfo(weight.dtype).tiny))
        self.fit(weight * scale)
        self.scale_inputs(1 / scale)

    def scale_inputs(self, factors: Float[Tensor, " in_features"]) -> None:
        """Multiply the columns of the matrix by numbers of their own."""
        self.input_core.mul_(factors.view(self.input_core.shape[0], 1, -1).to(self.input_core.dtype))


def block_products(
    x: Float[Tensor, "rows in_features"], core: Float[Tensor, "blocks height width"]
) -> Float[Tensor, "blocks rows height"]:
    """Every slice of x times its own block; x is not copied."""
    return torch.bmm(x.unflatten(1, core.shape[::2]).transpose(0, 1), core.transpose(1, 2))


def orthogonal_blocks(blocks: int, height: int, width: int) -> Float[Tensor, "blocks height width"]:
    """Random blocks with orthogonal rows or columns, scaled so that outputs keep the variance of inputs.

    Columns of tall blocks get the length sqrt(height / width), which is the spectral norm that muP asks for.
    """
    core = torch.empty(blocks, height, width)
    for block in core:
        nn.init.orthogonal_(block, gain=max(1.0, height / width) ** 0.5)
    return core


def split_svd(
    matrix: Float[Tensor, "*batch height width"], rank: int
) -> tuple[Float[Tensor, "*batch height rank"], Float[Tensor, "*batch rank width"]]:
    """The factors of the best approximation of a rank, singular values shared evenly; zeros beyond full rank."""
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    found = min(rank, values.shape[-1])
    root = values[..., :found].sqrt()
    left, right = left[..., :found] * root[..., None, :], root[..., None] * right[..., :found, :]
    missing = rank - found
    return nn.functional.pad(left, (0, missing)), nn.functional.pad(right, (0, 0, 0, missing))
