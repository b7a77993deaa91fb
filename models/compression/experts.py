"""Networks whose dense feed-forward layers are cut into experts, of which a router runs half."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn

from models.compression.feed_forwards import feed_forward_layers, share
from models.compression.linears import replace_module
from models.compression.rows import calibration_rows
from models.layers.contracts import FeedForward
from models.layers.feedforwards.converting import routed_from_dense
from models.layers.feedforwards.gelu import GeluFeedForward
from models.layers.linears import Dense
from recon.errors import InputError


@dataclass(frozen=True)
class Routed:
    """What a conversion to experts did.

    Attributes:
        top: Experts that every token takes.
        errors: Name of a layer -> norm of what its update changed by, over that of the update.
        error: The same of all layers together.
    """

    top: int
    errors: dict[str, float]
    error: float


@torch.no_grad()
def into_experts(network: nn.Module, experts: int, run: Callable[[], object] | None = None) -> Routed:
    """Sort the hidden units of all feed-forward layers of a network into experts, in place.

    Units that fire together come into one expert. Every token then takes half of them; with all of them a layer would
    compute what it did. The router is a first guess, which training on makes better.

    Args:
        network: Trained network.
        experts: Of each layer; divides its hidden width.
        run: As that of `cut_width`.

    Raises:
        InputError: There is no layer that can be cut into as many, or one that cannot be cut at all.
    """
    if experts < 1:
        raise InputError(f"experts: {experts}, expected at least 1", hint="4 lets every token take two of four")
    found = _layers(network)
    rows = calibration_rows(found, run)
    gone, whole, top = {}, {}, 0
    for name, layer in found.items():
        generator = torch.Generator().manual_seed(0)
        routed = routed_from_dense(layer, rows[name], experts, generator=generator).eval()
        update = layer.update(rows[name][None])
        gone[name], whole[name] = float((update - routed.update(rows[name][None])).norm()), float(update.norm())
        replace_module(network, name, routed.train(layer.training))
        top = routed.top
    errors = {name: share(gone[name], whole[name]) for name in found}
    return Routed(top, errors, share(math.hypot(*gone.values()), math.hypot(*whole.values())))


def _layers(network: nn.Module) -> dict[str, GeluFeedForward]:
    found = feed_forward_layers(
        network,
        _is_plain,
        "cannot be cut into experts",
        "gelu layers of plain matrices can; recon weights convert --width 1 makes such of nested ones",
    )
    return cast(dict[str, GeluFeedForward], found)


def _is_plain(layer: FeedForward) -> bool:
    maps = (getattr(layer, "fc1", None), getattr(layer, "fc2", None))
    return type(layer) is GeluFeedForward and all(isinstance(x, Dense) and x.bias is None for x in maps)
