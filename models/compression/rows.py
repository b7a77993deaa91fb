"""Calibration tokens of feed-forward layers: those that captures give, or numbers that are drawn."""

from collections.abc import Callable, Mapping
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from models.compression.inputs import observe_inputs
from models.layers.feedforwards.two_maps import TwoMaps
from models.layers.linears import Dense

ROWS_OF_A_CALL = 512
RANDOM_ROWS = 4096

Rows = Float[Tensor, "rows dim"]


def calibration_rows(layers: Mapping[str, TwoMaps], run: Callable[[], object] | None) -> dict[str, Rows]:
    """Name -> tokens after the norm of the layer of that name.

    Args:
        layers: That call their first map.
        run: Runs the network on calibration data; without it, tokens are normally distributed numbers.
    """
    return _drawn(layers) if run is None else _seen(layers, run)


def _drawn(layers: Mapping[str, TwoMaps]) -> dict[str, Rows]:
    generator = torch.Generator().manual_seed(0)
    found = {}
    for name, layer in layers.items():
        weight = cast(Dense, layer.fc1).weight
        drawn = torch.randn(RANDOM_ROWS, weight.shape[1], generator=generator)
        found[name] = layer.norm(drawn.to(weight))
    return found


def _seen(layers: Mapping[str, TwoMaps], run: Callable[[], object]) -> dict[str, Rows]:
    """Some of the tokens of every call, evenly spaced."""
    found: dict[str, list[Tensor]] = {name: [] for name in layers}

    def keep(name: str, rows: Tensor) -> None:
        found[name].append(rows[:: -(-len(rows) // ROWS_OF_A_CALL)].float())

    observe_inputs({name: layer.fc1 for name, layer in layers.items()}, run, keep)
    return {name: torch.cat(parts) for name, parts in found.items()}
