"""Block tensor train with two cores (Qiu et al. 2024, "Compute Better Spent")."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.layers.linears.factored import Factored, block_products, split_svd
from models.layers.linears.sizes import nearest_factors
from recon.errors import InputError


class BTT(Factored):
    """Input n = i u and output m = a v are grids; every pair (a, i) is joined by a matrix of rank R of its own.

    The cores are [i, a R, u] and [a, v, i R], R (n a + m i) numbers. Both grids are as square as their sides allow.
    Rank 1 is `BlockShuffle` with about sqrt(n) blocks. The start is that of the maximal update parametrisation.

    Args:
        in_features: n, the width of the input.
        out_features: m, the width of the output.
        rank: R.
        normalise: Keep every core at most at its initial root mean square and give it a learned gain instead, which
            allows larger learning rates.
        bias: Whether a bias is added.

    Raises:
        InputError: A side is a prime, or the rank is below 1.
    """

    gains: nn.Parameter | None

    def __init__(
        self, in_features: int, out_features: int, rank: int = 1, *, normalise: bool = False, bias: bool = False
    ):
        super().__init__(in_features, out_features, bias=bias)
        if rank < 1:
            raise InputError(
                f"rank: {rank} of a block tensor train, expected at least 1", hint="ranks are whole numbers"
            )
        (u, i), (a, v) = nearest_factors(in_features), nearest_factors(out_features)
        self.rank = rank
        self.input_core = nn.Parameter(torch.empty(i, a * rank, u))
        self.second = nn.Parameter(torch.empty(a, v, i * rank))
        self.gains = nn.Parameter(torch.ones(2)) if normalise else None
        for core in (self.input_core, self.second):
            nn.init.normal_(core, std=_initial_rms(core))

    def multiply_rows(self, x: Float[Tensor, "rows in_features"]) -> Float[Tensor, "rows a v"]:
        """Two batched products with a regrouping between and after them."""
        first, second = self._effective_cores()
        a = second.shape[0]
        z = block_products(x, first).unflatten(2, (a, self.rank)).permute(2, 1, 0, 3).flatten(2)
        return torch.bmm(z, second.transpose(1, 2)).transpose(0, 1)

    def materialise(self) -> Float[Tensor, "out_features in_features"]:
        """All pairs joined."""
        first, second = self._effective_cores()
        first = first.unflatten(1, (-1, self.rank))
        second = second.unflatten(2, (-1, self.rank))
        return torch.einsum("iaru, avir -> aviu", first, second).flatten(2).flatten(0, 1)

    def cores(self) -> list[tuple[nn.Parameter, int]]:
        """Both cores."""
        return [(self.input_core, self.input_core.shape[2]), (self.second, self.second.shape[2])]

    def param_groups(self, base_lr: float) -> list[dict]:
        """As every linear map, the gains at the base rate and without decay."""
        groups = super().param_groups(base_lr)
        gains = [] if self.gains is None else [{"params": [self.gains], "lr": base_lr, "weight_decay": 0.0}]
        return groups + gains

    def fit(self, weight: Float[Tensor, "out_features in_features"]) -> None:
        """The nearest such matrix: a truncated decomposition for every pair."""
        i, _, u = self.input_core.shape
        a, v, _ = self.second.shape
        left, right = split_svd(weight.reshape(a, v, i, u).transpose(1, 2), self.rank)
        self.second.copy_(left.transpose(1, 2).flatten(2))
        self.input_core.copy_(right.transpose(0, 1).flatten(1, 2))
        self._free_gains()

    def scale_inputs(self, factors: Float[Tensor, " in_features"]) -> None:
        """Multiply the columns of the matrix by numbers of their own."""
        if self.gains is not None:
            first, second = self._effective_cores()
            self.input_core.copy_(first)
            self.second.copy_(second)
        super().scale_inputs(factors)
        self._free_gains()

    def _effective_cores(self) -> tuple[Tensor, Tensor]:
        """The cores after normalisation."""
        if self.gains is None:
            return self.input_core, self.second
        return self.input_core * (self.gains[0] / _excess(self.input_core)), self.second * (
            self.gains[1] / _excess(self.second)
        )

    def _free_gains(self) -> None:
        """Set the gains so that normalisation changes nothing."""
        if self.gains is not None:
            self.gains.copy_(torch.stack([_excess(self.input_core), _excess(self.second)]))


def _initial_rms(core: Tensor) -> float:
    """Root mean square of a core of the maximal update parametrisation: 1/sqrt(fan-in), less if the core narrows."""
    _, fan_out, fan_in = core.shape
    return fan_in**-0.5 * min(1.0, fan_out / fan_in) ** 0.5


def _excess(core: Tensor) -> Float[Tensor, ""]:
    """How many times a core is larger than it began, at least 1."""
    return (core.square().mean().sqrt() / _initial_rms(core)).clamp(min=1)
