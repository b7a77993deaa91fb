"""Networks that never stretch a distance by more than a given factor (sandwich layers, Wang and Manchester 2023)."""

import math
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import elu, linear


def cayley(wide: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows columns"]:
    """A matrix with orthonormal rows from any matrix that is no taller than wide.

    The transpose is split into a square X and a rest Y; with A = X - X^T + Y^T Y the result is the transpose of
    [(I + A)^-1 (I - A); -2 Y (I + A)^-1]. I + A is never singular, as its symmetric part is at least I.
    """
    rows = len(wide)
    x, y = wide.T[:rows], wide.T[rows:]
    a = x - x.T + y.T @ y
    identity = torch.eye(rows, dtype=wide.dtype, device=wide.device)
    inverse = torch.linalg.solve(identity + a, identity)
    return torch.cat([inverse @ (identity - a), -2 * y @ inverse]).T


class _Orthonormal(nn.Module):
    """A free matrix and a scale, of which the forward pass sees Q = cayley(scale * V / |V|).

    In evaluation mode Q is solved for once and is a constant: gradients reach the input, not the parameters.
    """

    def __init__(self, rows: int, columns: int):
        super().__init__()
        free = torch.randn(rows, columns) * math.sqrt(2 / (rows + columns))
        self.free = nn.Parameter(free)
        self.scale = nn.Parameter(free.norm())
        self._solved: Tensor | None = None
        self.register_load_state_dict_post_hook(_forget)

    def orthonormal(self) -> Float[Tensor, "rows columns"]:
        """Q."""
        if self.training:
            return self._solve()
        if self._solved is None:
            with torch.inference_mode(False), torch.no_grad():  # it outlives the mode that it was asked for in
                self._solved = self._solve()
        return self._solved

    def _solve(self) -> Float[Tensor, "rows columns"]:
        with torch.autocast(self.free.device.type, enabled=False):
            exact = torch.promote_types(self.free.dtype, torch.float32)
            free = self.free.to(exact)
            return cayley(self.scale.to(exact) * free / free.norm()).to(self.free.dtype)

    def train(self, mode: bool = True) -> "_Orthonormal":
        """Switch between training and use; what was solved for is forgotten."""
        self._solved = None
        return super().train(mode)

    def _apply(self, *args: Any, **kwargs: Any) -> "_Orthonormal":
        self._solved = None
        return super()._apply(*args, **kwargs)


def _forget(layer: nn.Module, _: Any) -> None:
    if isinstance(layer, _Orthonormal):
        layer._solved = None


class SandwichLayer(_Orthonormal):
    """y = sqrt2 A^T P f(sqrt2 P^-1 B x + b), where [A B] has orthonormal rows and P is diagonal and positive.

    The map never stretches a distance, as the slope of f = ELU lies in 0 .. 1.

    Args:
        in_features: Width of the input.
        out_features: Width of the output.
    """

    def __init__(self, in_features: int, out_features: int):
        super().__init__(out_features, out_features + in_features)
        self.in_features, self.out_features = in_features, out_features
        self.log_diagonal = nn.Parameter(torch.zeros(out_features))
        self.bias = nn.Parameter(torch.zeros(out_features))

    def forward(self, x: Float[Tensor, "*batch in_features"]) -> Float[Tensor, "*batch out_features"]:
        """The image of x."""
        a, b = self.orthonormal().split([self.out_features, self.in_features], dim=1)
        diagonal = self.log_diagonal.exp()
        inner = elu(math.sqrt(2) * linear(x, b) / diagonal + self.bias)
        return math.sqrt(2) * ((inner * diagonal) @ a)

    def macs(self) -> int:
        """Multiply-adds for one vector when used; training adds one solve of the output's width for each pass."""
        return self.out_features * (self.in_features + self.out_features)


class LipschitzLinear(_Orthonormal):
    """y = B x + b, where B is part of a matrix with orthonormal rows.

    Args:
        in_features: Width of the input.
        out_features: Width of the output.
    """

    def __init__(self, in_features: int, out_features: int):
        super().__init__(out_features, out_features + in_features)
        self.in_features, self.out_features = in_features, out_features
        self.bias = nn.Parameter(torch.zeros(out_features))

    def forward(self, x: Float[Tensor, "*batch in_features"]) -> Float[Tensor, "*batch out_features"]:
        """The image of x."""
        return linear(x, self.orthonormal()[:, self.out_features :], self.bias)

    def macs(self) -> int:
        """Multiply-adds for one vector when used."""
        return self.in_features * self.out_features


class LipschitzHead(nn.Module):
    """A head with |f(x) - f(y)| <= bound * |x - y|, whatever its parameters.

    With bound 1 a signed distance field cannot overshoot: a step along a ray by the value that was found never passes
    the surface, so that sphere tracing is safe.

    Args:
        dim: Width of the input.
        out: Width of the output.
        hidden: Width of the hidden layers.
        layers: Number of hidden layers.
        bound: Largest stretch of a distance.
    """

    def __init__(self, dim: int, out: int, *, hidden: int = 64, layers: int = 2, bound: float = 1.0):
        super().__init__()
        self.bound = bound
        widths = [dim] + layers * [hidden]
        self.sandwiches = nn.ModuleList(SandwichLayer(*pair) for pair in pairwise(widths))
        self.last = LipschitzLinear(widths[-1], out)

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch out"]:
        """The output of the head; half of the bound, as a factor, comes before the layers and half after."""
        gain = math.sqrt(self.bound)
        x = gain * x
        for layer in self.sandwiches:
            x = layer(x)
        return gain * self.last(x)

    def macs(self) -> int:
        """Multiply-adds for one vector when used."""
        layers = [layer for layer in self.sandwiches if isinstance(layer, SandwichLayer)]
        return sum(layer.macs() for layer in layers) + self.last.macs()
