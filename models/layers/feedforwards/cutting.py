"""A smaller feed-forward layer out of the first hidden units of a larger one."""

import copy
from typing import cast

import torch
from torch import Tensor, nn

from models.layers.feedforwards.gelu import GeluFeedForward
from models.layers.feedforwards.swiglu import SwiGLU
from models.layers.feedforwards.two_maps import TwoMaps
from models.layers.linears.dense import Dense


@torch.no_grad()
def first_hidden_units(layer: TwoMaps, units: int) -> TwoMaps:
    """A plain layer with contiguous copies of the first hidden units and of the norm.

    Args:
        layer: A layer of plain matrices.
        units: As many, at most the hidden width.
    """
    fc1, fc2 = cast(Dense, layer.fc1), cast(Dense, layer.fc2)
    rows = torch.cat([torch.arange(units) + part * layer.hidden_width for part in range(layer.numbers_per_unit)])
    small = (SwiGLU if isinstance(layer, SwiGLU) else GeluFeedForward)(fc1.in_features)
    small.norm, small.hidden_width = copy.deepcopy(layer.norm), units
    small.fc1 = _dense(fc1.weight[rows], None if fc1.bias is None else fc1.bias[rows])
    small.fc2 = _dense(fc2.weight[:, :units], fc2.bias)
    return small.train(layer.training)


def _dense(weight: Tensor, bias: Tensor | None) -> Dense:
    """A matrix with its own, contiguous numbers."""
    dense = Dense(weight.shape[1], weight.shape[0], bias=bias is not None).to(weight.device, weight.dtype)
    dense.weight = nn.Parameter(weight.detach().clone(memory_format=torch.contiguous_format))
    if bias is not None:
        dense.bias = nn.Parameter(bias.detach().clone())
    return dense
