"""The usual feed-forward layer of transformers."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import gelu

from models.layers.contracts import MakeLinear
from models.layers.feedforwards.two_maps import TwoMaps
from models.layers.linears.dense import Dense


class GeluFeedForward(TwoMaps):
    """Pre-normed two-layer perceptron with exact GELU: W2 gelu(W1 x), no biases unless `make` gives them.

    Args:
        dim: Token width.
        ratio: Hidden width over token width.
        make: Builder of the two linear maps.
    """

    def __init__(self, dim: int, ratio: float = 4.0, make: MakeLinear = Dense):
        super().__init__(dim, round(ratio * dim), make)

    def activated(self, *numbers: Float[Tensor, "*batch units"]) -> Float[Tensor, "*batch units"]:
        """GELU of the only number of a unit."""
        (h,) = numbers
        return gelu(h)
