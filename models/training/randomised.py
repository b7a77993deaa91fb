"""Training whose linear maps keep a random projection of their inputs (`models.layers.randomised_backward`)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytorch_lightning as pl
from torch import nn

from models.compression.linears import block_linears, replace_module
from models.layers.randomised_backward import RandomisedLinear


def randomise_feed_forwards(network: nn.Module, share: float) -> "SeedsFromSamples":
    """Let the plain matrices of feed-forward layers keep a share of the rows of their inputs, in place.

    Parameters, their names and outputs stay the same.

    Args:
        network: That is trained, with blocks in which `models.block_settings.fault_in_randomised` finds no fault.
        share: As that of `RandomisedLinear`.

    Returns:
        The callback that goes with it.
    """
    found = block_linears(network, ("feed_forward",))["feed_forward"]
    layers = [RandomisedLinear.around(linear, share) for linear in found.values()]
    for name, layer in zip(found, layers, strict=True):
        replace_module(network, name, layer)
    return SeedsFromSamples(layers)


class SeedsFromSamples(pl.Callback):
    """Draws what is random in a batch by the numbers of its samples: a resumed run draws the same, a process its own.

    Args:
        layers: That draw.
    """

    def __init__(self, layers: Sequence[RandomisedLinear]):
        self.layers = layers

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, *_: Any) -> None:
        """Seed every layer."""
        for number, layer in enumerate(self.layers):
            rng = np.random.default_rng([getattr(pl_module, "seed", 0), number, *batch.numbers])
            layer.reseed(int(rng.integers(2**62)))
