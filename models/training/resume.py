"""Going on with a run exactly where it stopped.

A checkpoint holds weights, averaged weights, optimiser, schedule, step, the state of torch's random numbers and the
settings. Batches and augmentation need nothing more: they follow from the number of the step.
"""

import re
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from models.training.config import TrainConfig
from recon.errors import CheckpointError, InputError

MAY_CHANGE = frozenset({"out", "log_every", "val_every", "val_batches", "checkpoint_every", "resume", "threads"})
"""Settings of the trainer that a resumed run may have otherwise; all others decide what is learnt."""


class RunState(pl.Callback):
    """Puts into checkpoints what Lightning leaves out, and refuses those of another run.

    Args:
        config: The settings of the run as a tree.
    """

    def __init__(self, config: dict[str, Any]):
        self.config = config

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add random numbers and settings."""
        checkpoint["random_state"] = torch.get_rng_state()
        checkpoint["run"] = _plain(self.config)

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Compare the settings, and take the random numbers."""
        differing = list(_differences(checkpoint.get("run", {}), _plain(self.config)))
        if differing:
            name, then, now = differing[0]
            raise CheckpointError(
                f"the checkpoint is of a run with other settings: {name} was {then}, now {now}"
                + (f", and {len(differing) - 1} more" if len(differing) > 1 else ""),
                hint="resume with the settings of the run, or start a new one with trainer.init_from and another out",
            )
        torch.set_rng_state(checkpoint["random_state"])


def newest_checkpoint(out: Path, config: TrainConfig) -> Path:
    """The checkpoint of the latest step.

    Raises:
        CheckpointError: There is none.
    """
    found = {
        int(match[1]): path
        for path in (out / "checkpoints").glob("*.ckpt")
        if (match := re.fullmatch(r"step_(\d+)\.ckpt", path.name))
    }
    if not found:
        raise CheckpointError(
            f"{out / 'checkpoints'} holds no checkpoint to resume from",
            hint=f"one is written every {config.trainer.checkpoint_every} steps; leave out trainer.resume at first",
        )
    return found[max(found)]


def require_new(out: Path) -> None:
    """Refuse a folder in which a run has left checkpoints: a new one would mix with it.

    Raises:
        InputError: There are some.
    """
    if any((out / "checkpoints").glob("*.ckpt")):
        raise InputError(
            f"{out} holds the checkpoints of a run",
            hint="give --trainer.resume true to go on with it, or another --trainer.out",
        )


def _differences(then: dict[str, Any], now: dict[str, Any], prefix: str = "") -> Any:
    for name in sorted(then.keys() | now.keys()):
        a, b = then.get(name), now.get(name)
        if isinstance(a, dict) and isinstance(b, dict):
            yield from _differences(a, b, f"{prefix}{name}.")
        elif a != b and not (prefix == "trainer." and name in MAY_CHANGE):
            yield f"{prefix}{name}", a, b


def _plain(tree: Any) -> Any:
    """Lists for tuples, so that a tree equals itself when it was saved and read."""
    if isinstance(tree, dict):
        return {key: _plain(value) for key, value in tree.items()}
    return [_plain(value) for value in tree] if isinstance(tree, list | tuple) else tree
