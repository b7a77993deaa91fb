"""Rows of matrices scaled to unit length, which brings their condition number down."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils import parametrize


class UnitRows(nn.Module):
    """W -> diag(1 / |row|) W (Saratchandran et al. 2024): no learned gain, recomputed at every use.

    Of all scalings of rows this one is within sqrt(rows) of the least condition number (van der Sluis 1969).
    """

    def forward(self, weight: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows columns"]:
        """The matrix with rows of unit length."""
        return normalize(weight, dim=1)


def condition_weights(module: nn.Module) -> None:
    """Every plain matrix inside a module acts with unit rows from now on; structured ones stay as they are."""
    for part in _linears(module):
        if not parametrize.is_parametrized(part, "weight"):
            parametrize.register_parametrization(part, "weight", UnitRows())


def settle_weights(module: nn.Module) -> None:
    """Keep the scaled matrices as plain weights, under the names of an unscaled network."""
    for part in _linears(module):
        if parametrize.is_parametrized(part, "weight"):
            parametrize.remove_parametrizations(part, "weight", leave_parametrized=True)


def stored_weight(linear: nn.Linear) -> Tensor:
    """The parameter behind the weight of a linear layer, scaled or not."""
    if parametrize.is_parametrized(linear, "weight"):
        return linear.parametrizations.weight.original  # type: ignore[union-attr, return-value]
    return linear.weight


def _linears(module: nn.Module) -> list[nn.Linear]:
    return [part for part in module.modules() if isinstance(part, nn.Linear)]
