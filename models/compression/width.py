"""Networks with fewer hidden units in their feed-forward layers."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn

from models.compression.feed_forwards import feed_forward_layers, share
from models.compression.linears import replace_module
from models.compression.rows import calibration_rows
from models.layers.feedforwards.cutting import first_hidden_units
from models.layers.feedforwards.gelu import GeluFeedForward
from models.layers.feedforwards.importance import order_by_importance
from models.layers.feedforwards.nested import NESTED, units_of
from models.layers.feedforwards.swiglu import SwiGLU
from models.layers.feedforwards.two_maps import TwoMaps
from models.layers.linears import Dense
from recon.errors import InputError

CUT = (GeluFeedForward, SwiGLU, *NESTED)
GATED_STEP = 64
"""Gated layers have a multiple of as many hidden units."""


@dataclass(frozen=True)
class Cut:
    """What a cut did.

    Attributes:
        units: Hidden units that every layer has now.
        ratio: Of hidden width over token width in the config of such a layer.
        errors: Name of a layer -> norm of the part of its update that is gone, over that of the update.
        error: The same of all layers together.
    """

    units: int
    ratio: float
    errors: dict[str, float]
    error: float


@torch.no_grad()
def cut_width(network: nn.Module, width: float, run: Callable[[], object] | None = None) -> Cut:
    """Keep a share of the hidden units of all feed-forward layers of a network, in place.

    Nested layers keep their first units, as they were trained to, and become plain layers. Other layers keep those that
    add most to the update (`models.layers.feedforwards.importance`). At a width of 1 nothing changes.

    Args:
        network: Trained network.
        width: Share, above 0 and at most 1; nested layers have a few of their own, gated ones multiples of 64 units.
        run: Runs the network on calibration data, by which units are judged; without it, by tokens of normally
            distributed numbers.

    Raises:
        InputError: There is no layer that can be cut, or none has such a width.
    """
    if not 0 < width <= 1:
        raise InputError(f"width: {width:g}, expected a share above 0 and at most 1", hint="0.5 keeps half")
    found = _layers(network)
    units = {name: _units(layer, width) for name, layer in found.items()}
    plain = {name: first_hidden_units(layer, layer.hidden_width) for name, layer in found.items()}
    for name, layer in plain.items():  # nested ones do not call their maps, which are watched
        replace_module(network, name, layer)
    rows = calibration_rows(plain, run)
    gone, whole = {}, {}
    for name, layer in plain.items():
        if not isinstance(found[name], NESTED) and units[name] < layer.hidden_width:
            order_by_importance(layer, rows[name])
        small = first_hidden_units(layer, units[name])
        update = layer.update(rows[name][None])
        whole[name] = float(update.norm())
        gone[name] = float((update - small.update(rows[name][None])).norm())
        replace_module(network, name, small)
    kept, layer = units[name], plain[name]
    ratio = kept / cast(Dense, layer.fc1).in_features * (1.5 if isinstance(layer, SwiGLU) else 1)
    errors = {name: share(gone[name], whole[name]) for name in plain}
    return Cut(kept, ratio, errors, share(math.hypot(*gone.values()), math.hypot(*whole.values())))


def _layers(network: nn.Module) -> dict[str, TwoMaps]:
    found = feed_forward_layers(
        network,
        lambda layer: type(layer) in CUT and isinstance(layer.fc1, Dense) and isinstance(layer.fc2, Dense),
        "has no hidden units that could be left out",
        "gelu, swiglu and nested layers of plain matrices can be cut; cut before matrices are converted",
    )
    return cast(dict[str, TwoMaps], found)


def _units(layer: TwoMaps, width: float) -> int:
    if width == 1:
        return layer.hidden_width
    if isinstance(layer, NESTED):
        return units_of(width, layer.hidden_width)
    step = GATED_STEP if isinstance(layer, SwiGLU) else 1
    return min(max(step, step * round(width * layer.hidden_width / step)), layer.hidden_width)
