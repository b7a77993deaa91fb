"""Every feed-forward layer by name."""

from collections.abc import Callable
from functools import partial

from models.layers.config import FeedForwardConfig, FeedForwardKind, LinearConfig
from models.layers.contracts import FeedForward, MakeLinear
from models.layers.feedforwards.cdmoe import CrossDomainExperts
from models.layers.feedforwards.fast import FastFeedForward
from models.layers.feedforwards.fourier import FourierFeedForward
from models.layers.feedforwards.gelu import GeluFeedForward
from models.layers.feedforwards.grouped import GroupedFeedForward
from models.layers.feedforwards.masked_glu import MaskedGLU
from models.layers.feedforwards.nested import NestedGelu
from models.layers.feedforwards.peer import Peer
from models.layers.feedforwards.routed import RoutedFeedForward
from models.layers.feedforwards.swiglu import SwiGLU
from models.layers.linears import make_linear
from recon.errors import InputError

Builder = Callable[[FeedForwardConfig, int], FeedForward]

FEED_FORWARDS: dict[FeedForwardKind, Builder] = {
    "gelu": lambda config, dim: GeluFeedForward(dim, config.ratio, _maps(config.linear)),
    "swiglu": lambda config, dim: SwiGLU(dim, config.ratio, _maps(config.linear)),
    "nested": lambda config, dim: NestedGelu(dim, config.ratio),
    "fast": lambda config, dim: FastFeedForward(dim, config.ratio, config.depth),
    "grouped": lambda config, dim: GroupedFeedForward(dim, config.ratio, config.experts, hashes=config.hashes),
    "routed": lambda config, dim: RoutedFeedForward(dim, config.ratio, config.experts),
    "fourier": lambda config, dim: FourierFeedForward(dim, config.ratio, _maps(config.linear)),
    "masked_glu": lambda config, dim: MaskedGLU(dim, config.ratio),
    "peer": lambda config, dim: Peer(dim, config.experts),
    "cdmoe": lambda config, dim: CrossDomainExperts(dim, config.ratio, config.experts),
}

KINDS_OF_LINEAR_MAPS = ("gelu", "swiglu", "fourier")
"""Layers that may be built from any kind of linear map; the others hold matrices that they cut themselves."""


def make_feed_forward(config: FeedForwardConfig, dim: int) -> FeedForward:
    """Build the layer that a config names.

    Args:
        config: Kind and sizes.
        dim: Token width.

    Raises:
        InputError: If the kind cannot be built from that kind of linear map.
    """
    if config.kind not in KINDS_OF_LINEAR_MAPS and config.linear != LinearConfig():
        raise InputError(
            f"a {config.kind} layer holds plain matrices, not {config.linear.kind} maps",
            hint=f"leave feed_forward.linear as it is, or choose one of {', '.join(KINDS_OF_LINEAR_MAPS)}",
        )
    return FEED_FORWARDS[config.kind](config, dim)


def _maps(config: LinearConfig) -> MakeLinear:
    return partial(make_linear, config, bias=False)
