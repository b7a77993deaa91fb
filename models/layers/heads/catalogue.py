"""Every head by name."""

from collections.abc import Callable
from typing import Literal

from torch import nn

from models.layers.heads.fourier import FourierHead
from models.layers.heads.residual_mlp import ResidualMLP
from models.layers.heads.sandwich import LipschitzHead
from models.layers.linears.dense import Dense

HeadKind = Literal["linear", "residual_mlp", "fourier", "sandwich"]

HEADS: dict[HeadKind, Callable[[int, int], nn.Module]] = {
    "linear": lambda dim, out: Dense(dim, out),
    "residual_mlp": lambda dim, out: ResidualMLP(dim, out),
    "fourier": lambda dim, out: FourierHead(dim, out),
    "sandwich": lambda dim, out: LipschitzHead(dim, out),
}


def make_head(kind: HeadKind, dim: int, out: int) -> nn.Module:
    """Build a head that maps `dim` to `out` numbers."""
    return HEADS[kind](dim, out)
