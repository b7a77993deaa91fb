"""The plain matrices inside the transformer blocks of a network."""

from collections.abc import Sequence
from typing import Literal

from torch import nn

from models.layers.contracts import Attention, FeedForward
from models.layers.feedforwards.fourier import FourierFeedForward
from models.layers.feedforwards.gelu import GeluFeedForward
from models.layers.feedforwards.swiglu import SwiGLU
from models.layers.linears import Dense
from recon.errors import InputError

Part = Literal["attention", "feed_forward"]
PARTS: dict[Part, type[nn.Module]] = {"attention": Attention, "feed_forward": FeedForward}
CALL_THEIR_MATRICES = (GeluFeedForward, SwiGLU, FourierFeedForward)
"""Feed-forward layers that call their matrices; the others cut them, or hold none."""


def block_linears(network: nn.Module, parts: Sequence[Part] = tuple(PARTS)) -> dict[Part, dict[str, Dense]]:
    """Part of a block -> name in the network -> matrix; tokenisers and heads outside of blocks do not belong to it.

    Args:
        network: With blocks of `models.layers`.
        parts: Which parts are looked for.

    Raises:
        InputError: There is no plain matrix, or a feed-forward layer cuts its matrices itself.
    """
    found: dict[Part, dict[str, Dense]] = {part: {} for part in parts}
    for owner_name, owner in network.named_modules():
        for part in parts:
            if isinstance(owner, PARTS[part]):
                _check_calls_its_matrices(owner)
                found[part] |= {
                    f"{owner_name}.{name}".lstrip("."): linear
                    for name, linear in owner.named_modules()
                    if isinstance(linear, Dense)
                }
    if not any(found.values()):
        raise InputError(
            f"{type(network).__name__} has no plain matrices in {' or '.join(parts)} layers",
            hint="was it converted before? Start from the dense checkpoint",
        )
    return found


def replace_module(network: nn.Module, name: str, module: nn.Module) -> None:
    """Put a module in the place of the one of that name."""
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, module)


def _check_calls_its_matrices(owner: nn.Module) -> None:
    if isinstance(owner, FeedForward) and type(owner) not in CALL_THEIR_MATRICES:
        raise InputError(
            f"a {type(owner).__name__} does not consist of linear maps that can be exchanged",
            hint="cut a nested network to one width first, or leave out feed_forward and take attention alone",
        )
