"""The two forms of a network: the one that is trained, and the one that is used, without what only training needs.

In the form that is used, guides of structured matrices are gone and scaled rows are plain weights, so that its config
asks for neither; trees are one product a token, and masks are bits.
"""

from dataclasses import replace
from typing import Any, Literal, cast

import torch
from torch import nn

from models.ilrm.processor import Processor
from models.layers.config import BlockConfig
from models.layers.linears import guides_count

Form = Literal["training", "use"]
ONLY_FOR_USE = ("fast", "masked_glu")
"""Feed-forward layers that cannot be trained on once they are in the form that is used."""


def form_of(network: nn.Module) -> Form:
    """Which form a network is in."""
    return "use" if _processor(network).finalised else "training"


def finalise(network: nn.Module) -> None:
    """From the form that is trained to the form that is used, in place; `config` of the network comes along."""
    processor, told = _processor(network), cast(Any, network)
    processor.finalise()
    processor.config = block_of_use(processor.config)
    told.config = replace(told.config, block=processor.config)


def for_use(network: nn.Module) -> nn.Module:
    """A copy for evaluation on the CPU, in the form that is used.

    While a guide still counts, the copy keeps the form that is trained: without the guide, outputs would change.

    Args:
        network: In any form, and without an adapter.
    """
    with torch.random.fork_rng(devices=[]):
        copy = type(network)(cast(Any, network).config)
    if form_of(network) == "use":
        finalise(copy)
    copy.load_state_dict(network.state_dict())
    copy.eval()
    if not guides_count(copy):
        finalise(copy)
    return copy


def block_of_use(block: BlockConfig) -> BlockConfig:
    """What blocks are made of once they are in the form that is used."""
    attention, feed_forward = block.attention, block.feed_forward
    return replace(
        block,
        weight_condition=False,
        attention=replace(attention, linear=replace(attention.linear, self_guided=False)),
        feed_forward=replace(feed_forward, linear=replace(feed_forward.linear, self_guided=False)),
    )


def _processor(network: nn.Module) -> Processor:
    return cast(Processor, network.processor)
