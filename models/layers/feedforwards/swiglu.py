"""The gated feed-forward layer."""

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import silu

from models.layers.contracts import MakeLinear
from models.layers.feedforwards.parts import gated_width
from models.layers.feedforwards.two_maps import TwoMaps
from models.layers.linears.dense import Dense


class SwiGLU(TwoMaps):
    """W3 (silu(Wg x) * Wv x), with gate and value in one map (Shazeer 2020).

    Args:
        dim: Token width.
        ratio: Hidden width over token width of the GELU layer whose parameters are matched.
        make: Builder of the linear maps.
    """

    numbers_per_unit: ClassVar[int] = 2

    def __init__(self, dim: int, ratio: float = 4.0, make: MakeLinear = Dense):
        super().__init__(dim, gated_width(dim, ratio), make)

    def activated(self, *numbers: Float[Tensor, "*batch units"]) -> Float[Tensor, "*batch units"]:
        """The value through its gate."""
        gate, value = numbers
        return silu(gate) * value
