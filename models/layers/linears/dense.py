"""A plain matrix."""

from jaxtyping import Float
from torch import Tensor, nn

from models.layers.contracts import Linear


class Dense(nn.Linear, Linear):
    """torch's Linear with the contract of all linear maps; without a bias unless asked for."""

    weight: nn.Parameter

    def __init__(self, in_features: int, out_features: int, *, bias: bool = False):
        super().__init__(in_features, out_features, bias)

    def materialise(self) -> Float[Tensor, "out_features in_features"]:
        """The matrix itself."""
        return self.weight

    def macs(self) -> int:
        """One per entry."""
        return self.weight.numel()

    def approximate(self, weight: Float[Tensor, "out_features in_features"]) -> None:
        """Take the matrix."""
        self.weight.data.copy_(weight)

    def cores(self) -> list[tuple[nn.Parameter, int]]:
        """The matrix."""
        return [(self.weight, self.in_features)]
