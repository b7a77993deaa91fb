"""A small perceptron with a Fourier series in its activation beside the linear head, for what changes fast in space."""

from jaxtyping import Float
from torch import Tensor

from models.layers.contracts import MakeLinear
from models.layers.feedforwards.fourier import FourierActivation
from models.layers.heads.residual_mlp import ResidualMLP
from models.layers.linears.dense import Dense


class FourierHead(ResidualMLP):
    """`ResidualMLP` with the activation of Kolmogorov-Arnold-Fourier networks (Zhang et al. 2025).

    Args:
        dim: Width of the input.
        out: Width of the output.
        make: Builder of W1 and R.
        frequencies: Of the series.
    """

    def __init__(self, dim: int, out: int, make: MakeLinear = Dense, *, frequencies: int = 8):
        super().__init__(dim, out, make)
        self.activation = FourierActivation(self.hidden_width, frequencies)

    def hidden(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch hidden"]:
        """Activations of the hidden units."""
        return self.activation(self.fc1(x))

    def macs(self) -> int:
        """Multiply-adds for one token."""
        return super().macs() + self.activation.macs()
