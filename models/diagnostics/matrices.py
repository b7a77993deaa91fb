"""The matrices of a network, whatever kind of layer holds them."""

from typing import cast

from jaxtyping import Float
from torch import Tensor, nn

from models.layers.contracts import StructuredLinear

LinearMap = (StructuredLinear, nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
"""Layers that are a matrix and perhaps a bias."""


def weight_matrices(network: nn.Module) -> dict[str, Float[Tensor, "rows columns"]]:
    """Name of every layer -> the matrix that it multiplies by, in the order in which the network is built.

    A kernel of a convolution is a matrix of output channels by everything that one of them sums. Structured maps are
    materialised. Parameters that stand alone (registers, experts) come under their own names, all but the last
    dimension being rows.
    """
    found: dict[str, Tensor] = {}
    taken: set[int] = set()
    for name, part in network.named_modules():
        if any(id(parameter) in taken for parameter in part.parameters()):
            continue  # inside a map that was taken as a whole
        if isinstance(part, LinearMap):
            found[name] = matrix_of(part)
            taken |= {id(parameter) for parameter in part.parameters()}
        else:
            own = part.named_parameters(name, recurse=False)
            found |= {key: value.detach().flatten(0, -2) for key, value in own if value.ndim >= 2}
    return found


def matrix_of(part: nn.Module) -> Float[Tensor, "rows columns"]:
    """What a layer out of `LinearMap` multiplies by."""
    if isinstance(part, StructuredLinear):
        return part.materialise().detach()
    return cast(Tensor, part.weight).detach().flatten(1)
