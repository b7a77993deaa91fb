"""Diagnosis of weights on disk."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from models.diagnostics.activations import Activations, recording
from models.diagnostics.diagnosis import Diagnosis, diagnose
from models.hub import NETWORKS, Pretrained, load_pretrained
from models.ilrm.objective import LossConfig, OptimConfig
from models.settings import size_multiple
from models.training.networks import TRAINED
from recon.data.captures.open_source import open_captures
from recon.data.scene_batches import DataConfig, SceneBatches
from recon.errors import CheckpointError, InputError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ActivationSource:
    """Captures that a network is watched on.

    Attributes:
        folder: A data set of a kind that `recon.data.captures` reads.
        split: Of it.
        captures: Of the split, from the first.
        size: Height and width of the images in pixels.
    """

    folder: str
    split: str = "val"
    captures: int = 8
    size: tuple[int, int] = (128, 128)


def diagnose_checkpoint(
    weights: str | Path, against: str | Path | None = None, data: ActivationSource | None = None, *, seed: int = 0
) -> Diagnosis:
    """Figures of all layers of weights on disk.

    Args:
        weights: Name of weights that ship, or a folder.
        against: Others, to measure rotations against; None for the weights that `recon train` begins with.
        data: What to watch activations on; without, there are none.
        seed: Of the run whose beginning is meant, where `against` is None.

    Raises:
        CheckpointError: There are no such weights, the others are of another network, or the two share no layer.
        InputError: The data cannot be used.
    """
    trained = load_pretrained(weights)
    reference = _initial(trained, seed) if against is None else _other(trained, against)
    found = diagnose(trained.network, reference, None if data is None else _watch(trained, data))
    if not found.compared:
        raise CheckpointError(
            f"{against} has no layer of the name and shape of any in {weights}", hint="compare weights of one network"
        )
    return found


def _initial(trained: Pretrained, seed: int) -> nn.Module:
    """As `recon train` makes the network at the start; the global random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NETWORKS[trained.name][1](trained.network.config)


def _other(trained: Pretrained, against: str | Path) -> nn.Module:
    other = load_pretrained(against)
    if other.name != trained.name:
        raise CheckpointError(f"{against} holds {other.name}, expected {trained.name} to compare layers with")
    return other.network


def _watch(trained: Pretrained, data: ActivationSource) -> Activations:
    with recording(trained.network) as activations:
        run_on_captures(trained, data)
    return activations


@torch.no_grad()
def run_on_captures(trained: Pretrained, data: ActivationSource) -> None:
    """Run a network on captures, in float32, for whoever watches it.

    Raises:
        InputError: The data cannot be used.
    """
    _require_usable(trained, data)
    source = open_captures(data.folder, split=data.split)
    config = DataConfig(folder=data.folder, size=data.size)
    batches = SceneBatches(source, config, augment=False)
    make = TRAINED[trained.name][1]
    optim, loss = OptimConfig(ema_decay=0.0), LossConfig(perceptual=0.0)
    module = make(trained.network, optim, loss, max_steps=1, float32=True).eval()
    for number in range(min(data.captures, len(source))):
        batch = batches[[number]]
        module.predict(module.evaluated, batch)
        logger.info("%d: %s", number + 1, batch.names[0])


def _require_usable(trained: Pretrained, data: ActivationSource) -> None:
    multiple = size_multiple(cast(Any, trained.network.config))
    if data.captures < 1:
        raise InputError(f"{data.captures} captures, expected at least one")
    if any(side < multiple or side % multiple for side in data.size):
        raise InputError(
            f"images of {data.size[0]} x {data.size[1]} pixels, expected multiples of {multiple} for {trained.name}"
        )
