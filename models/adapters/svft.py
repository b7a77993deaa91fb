"""Singular vectors stay, a band of numbers between them is trained (SVFT, Lingam et al. 2024)."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear

from models.layers.precision import full_precision


class SVFTLinear(nn.Module):
    """W + U M V^T, where W = U S V^T and M is banded and starts at zero.

    The weight is put together at every call, which costs as much as min(m, n) more tokens; going through V, M and U
    token by token would triple the cost of each.

    Args:
        base_layer: The map that is adapted.
        band: Diagonals on either side of the main one.
    """

    left: Tensor
    right: Tensor

    def __init__(self, base_layer: nn.Linear, band: int):
        super().__init__()
        self.base_layer = base_layer
        left, right = singular_vectors(base_layer.weight)
        self.register_buffer("left", left, persistent=False)
        self.register_buffer("right", right, persistent=False)
        self.lengths = [len(right) - abs(offset) for offset in range(-band, band + 1)]
        self.band = nn.Parameter(left.new_zeros(sum(self.lengths)))
        """The diagonals of M from the lowest to the highest, end to end."""
        self.register_load_state_dict_post_hook(_refresh_vectors)

    def forward(self, x: Float[Tensor, "*batch in_features"]) -> Float[Tensor, "*batch out_features"]:
        """The image of x."""
        return linear(x, self.base_layer.weight + self.delta(), self.base_layer.bias)

    @full_precision
    def delta(self) -> Float[Tensor, "out_features in_features"]:
        """U M V^T."""
        reach = len(self.lengths) // 2
        rows = torch.zeros_like(self.right)
        for offset, diagonal in zip(range(-reach, reach + 1), self.band.split(self.lengths), strict=True):
            first = max(0, -offset)
            last = first + len(diagonal)
            rows[first:last] += diagonal[:, None] * self.right[first + offset : last + offset]
        return self.left @ rows


def _refresh_vectors(layer: nn.Module, _: Any) -> None:
    """Singular vectors of the weight that was loaded: they are not part of the state dict."""
    if isinstance(layer, SVFTLinear):
        layer.left, layer.right = singular_vectors(layer.base_layer.weight)


@torch.no_grad()
def singular_vectors(
    weight: Float[Tensor, "rows columns"],
) -> tuple[Float[Tensor, "rows rank"], Float[Tensor, "rank columns"]]:
    """U and V^T, the larger singular values first, computed in float64 on the CPU.

    The largest entry of every left vector is positive: signs would else depend on the library at hand.
    """
    left, _, right = torch.linalg.svd(weight.detach().to("cpu", torch.float64), full_matrices=False)
    signs = left.gather(0, left.abs().argmax(0, keepdim=True)).sign()
    return (left * signs).to(weight), (right * signs.T).to(weight)
