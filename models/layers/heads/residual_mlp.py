"""A small perceptron beside the linear head (projection variants, Clavié et al. 2025)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu

from models.layers.contracts import MakeLinear
from models.layers.linears.dense import Dense
from models.layers.macs import macs_of


class ResidualMLP(nn.Module):
    """W2 gelu(W1 x) + R x with a hidden layer of twice the input's width.

    W2 begins at zero, so that training starts from the linear head R, and a trained linear head can be taken as R.

    Args:
        dim: Width of the input.
        out: Width of the output.
        make: Builder of W1 and R.
    """

    def __init__(self, dim: int, out: int, make: MakeLinear = Dense):
        super().__init__()
        self.hidden_width = 2 * dim
        self.skip = make(dim, out)
        self.fc1 = make(dim, self.hidden_width)
        self.fc2 = Dense(self.hidden_width, out)
        self.start_linear()

    @torch.no_grad()
    def start_linear(self) -> None:
        """Be the linear head R alone."""
        self.fc2.weight.zero_()

    def hidden(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch hidden"]:
        """Activations of the hidden units."""
        return gelu(self.fc1(x))

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch out"]:
        """The output of the head."""
        return self.skip(x) + self.fc2(self.hidden(x))

    def macs(self) -> int:
        """Multiply-adds for one token."""
        return macs_of(self.skip, self.fc1, self.fc2)
