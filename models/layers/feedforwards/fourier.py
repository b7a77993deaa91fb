"""A GELU layer with a Fourier series in its activation (Kolmogorov-Arnold-Fourier network, Zhang et al. 2025)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu, layer_norm, linear

from models.layers.contracts import MakeLinear, Mode
from models.layers.feedforwards.gelu import GeluFeedForward
from models.layers.linears.dense import Dense

SPREAD = 1.64
"""Frequencies are drawn with variance 1 / (1.64 width)."""


class FourierActivation(nn.Module):
    """a gelu(h) + b C [cos(W h' + p), sin(W h' + p)], h' the normalised h; a and b are learned for every unit.

    At first a is 1 and b is 0.01, so that the activation begins as GELU. All parameters exist from the start, for an
    optimiser to find them.

    Args:
        width: Units.
        frequencies: Rows of W.
    """

    def __init__(self, width: int, frequencies: int = 8):
        super().__init__()
        self.width, self.num_frequencies = width, frequencies
        self.gelu_scale = nn.Parameter(torch.ones(width))
        self.wave_scale = nn.Parameter(torch.full((width,), 0.01))
        self.frequency = nn.Parameter(torch.randn(frequencies, width) / math.sqrt(SPREAD * width))
        self.phase = nn.Parameter(torch.rand(frequencies) * 2 * math.pi)
        self.combine = nn.Parameter(torch.randn(width, 2 * frequencies) / math.sqrt(frequencies))

    def forward(self, h: Float[Tensor, "*batch width"]) -> Float[Tensor, "*batch width"]:
        """The activations."""
        angle = linear(layer_norm(h, (self.width,)), self.frequency, self.phase)
        waves = linear(torch.cat([angle.cos(), angle.sin()], dim=-1), self.wave_scale[:, None] * self.combine)
        return torch.addcmul(waves, self.gelu_scale, gelu(h))

    def macs(self) -> int:
        """Both products for one token."""
        return 3 * self.width * self.num_frequencies


class FourierFeedForward(GeluFeedForward):
    """A GELU layer with the Fourier series beside its activation.

    Args:
        dim: Token width.
        ratio: Hidden width over token width.
        make: Builder of the two linear maps.
        frequencies: Of the series.
    """

    def __init__(self, dim: int, ratio: float = 4.0, make: MakeLinear = Dense, *, frequencies: int = 8):
        super().__init__(dim, ratio, make)
        self.activation = FourierActivation(self.hidden_width, frequencies)

    def activated(self, *numbers: Float[Tensor, "*batch units"]) -> Float[Tensor, "*batch units"]:
        """GELU and the series."""
        return self.activation(*numbers)

    def macs(self, num_tokens: int, mode: Mode) -> int:
        """Both maps and the series for every token."""
        return super().macs(num_tokens, mode) + num_tokens * self.activation.macs()
