"""Several linear maps of one input, their outputs end to end."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.layers.contracts import StructuredLinear
from models.layers.linears.factored import Factored


class Stacked(StructuredLinear):
    """One map below the other, for rows of a matrix that are to have factors of their own.

    Args:
        maps: Of the same input, without biases.
    """

    def __init__(self, maps: Sequence[Factored]):
        super().__init__(maps[0].in_features, sum(part.out_features for part in maps))
        self.maps = nn.ModuleList(maps)

    def multiply(self, x: Float[Tensor, "*batch in_features"]) -> Float[Tensor, "*batch out_features"]:
        """All outputs."""
        return torch.cat([part(x) for part in self.maps], dim=-1)

    def materialise(self) -> Float[Tensor, "out_features in_features"]:
        """All matrices, one below the other."""
        return torch.cat([part.materialise() for part in self._parts])

    def macs(self) -> int:
        """Those of all maps."""
        return sum(part.macs() for part in self._parts)

    def approximate(
        self,
        weight: Float[Tensor, "out_features in_features"],
        input_rms: Float[Tensor, " in_features"] | None = None,
    ) -> None:
        """Bring every map near its rows of a dense matrix.

        Args:
            weight: The matrix.
            input_rms: As that of `Factored.approximate`.
        """
        for part, rows in zip(self._parts, weight.split([part.out_features for part in self._parts]), strict=True):
            part.approximate(rows, input_rms)

    def cores(self) -> list[tuple[nn.Parameter, int]]:
        """Those of all maps."""
        return [core for part in self._parts for core in part.cores()]

    def param_groups(self, base_lr: float) -> list[dict[str, Any]]:
        """Those of all maps."""
        return [group for part in self._parts for group in part.param_groups(base_lr)]

    @property
    def _parts(self) -> list[Factored]:
        return [cast(Factored, part) for part in self.maps]
