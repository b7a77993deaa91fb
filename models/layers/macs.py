"""Counting the work of linear maps."""

from typing import cast

from torch import nn

from models.layers.contracts import Linear


def macs_of(*maps: nn.Module) -> int:
    """Multiply-adds of linear maps for one token, together."""
    return sum(cast(Linear, linear).macs() for linear in maps)
