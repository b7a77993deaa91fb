"""The feed-forward layers of a network that are made smaller, all or none."""

from collections.abc import Callable

from torch import nn

from models.layers.contracts import FeedForward
from recon.errors import InputError


def feed_forward_layers(
    network: nn.Module, usable: Callable[[FeedForward], bool], cannot: str, hint: str
) -> dict[str, FeedForward]:
    """Name -> feed-forward layer, in the order of the network.

    Args:
        network: Any that has some.
        usable: Whether a layer can be treated.
        cannot: What is said of one that is not.
        hint: What to do then.

    Raises:
        InputError: One is not usable, or there is none.
    """
    found = {name: layer for name, layer in network.named_modules() if isinstance(layer, FeedForward)}
    if not found:
        raise InputError(f"{type(network).__name__} has no feed-forward layers")
    for name, layer in found.items():
        if not usable(layer):
            raise InputError(f"{name}, a {type(layer).__name__}, {cannot}", hint=hint)
    return found


def share(part: float, whole: float) -> float:
    """One over the other; 0 where the whole is 0."""
    return part / whole if whole else 0.0
