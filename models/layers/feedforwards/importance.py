"""The order of hidden units: a trained layer whose best units come first can be cut."""

from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor

from models.layers.feedforwards.two_maps import TwoMaps
from models.layers.linears.dense import Dense


@torch.no_grad()
def hidden_importance(layer: TwoMaps, normed: Float[Tensor, "*batch dim"]) -> Float[Tensor, " hidden"]:
    """How much each hidden unit adds on average: root mean square of its activation times the length of its column.

    Args:
        layer: A layer of plain matrices.
        normed: Calibration tokens, after the norm.
    """
    active = layer.hidden(normed).flatten(0, -2)
    return active.square().mean(dim=0).sqrt() * cast(Dense, layer.fc2).weight.norm(dim=0)


@torch.no_grad()
def order_hidden_units(layer: TwoMaps, order: Int[Tensor, " hidden"]) -> None:
    """Rearrange the hidden units in place; what the layer computes stays the same.

    Args:
        layer: A layer of plain matrices.
        order: The unit that comes first, the one that comes second, and so on.
    """
    fc1, fc2 = cast(Dense, layer.fc1), cast(Dense, layer.fc2)
    rows = torch.cat([order + part * layer.hidden_width for part in range(layer.numbers_per_unit)])
    fc1.weight.copy_(fc1.weight[rows].clone())
    if fc1.bias is not None:
        fc1.bias.copy_(fc1.bias[rows].clone())
    fc2.weight.copy_(fc2.weight[:, order].clone())


def order_by_importance(layer: TwoMaps, normed: Float[Tensor, "*batch dim"]) -> None:
    """Put the most important hidden units first; arguments as those of `hidden_importance`."""
    order_hidden_units(layer, hidden_importance(layer, normed).argsort(descending=True, stable=True))
