"""Going on with a run exactly where it stopped.

A checkpoint holds weights, averaged weights, optimiser, schedule, step, the state of torch's random numbers in the
first process, the settings, and hashes of the names of the captures and of the backbone of the perceptual term. Batches
and augmentation need nothing more: they follow from the number of the step, in every process.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from models.hub import sha256_of
from models.ilrm.objective import LossConfig
from models.training.config import TrainConfig
from recon.errors import CheckpointError, InputError
from recon.io.atomic import atomic_write

MAY_CHANGE = re.compile(
    r"trainer\.(out|devices|accelerator|num_nodes|accumulate|threads|log_every|val_every|val_batches|checkpoint_every|init_from|resume)"
    r"|data\.(folder|format|workers|read\.max_open)|loss\.perceptual_weights"
)
"""Settings that a resumed run may have otherwise, for they do not decide what is learnt; other numbers of processes,
accumulated batches or threads give the same gradients up to rounding. The backbone of the perceptual term may lie
elsewhere, but must be the same file: `perceptual_backbone`."""

BACKBONE = "perceptual_backbone"


class WholeCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint beside its place and moves it there when it is whole."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write it, whole or not at all."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(target) as part:
            torch.save(checkpoint, part)


class RunState(pl.Callback):
    """Puts into checkpoints what Lightning leaves out, and refuses those of another run.

    Args:
        config: The settings of the run.
        names: Of the captures that it is trained on.
    """

    def __init__(self, config: TrainConfig, names: Sequence[str]):
        digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
        self.config = config
        self.run = _plain(asdict(config)) | {
            "captures": f"{len(names)} with names of hash {digest[:16]}",
            BACKBONE: perceptual_backbone(config.loss),
        }

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add random numbers and settings."""
        checkpoint["random_state"] = torch.get_rng_state()
        checkpoint["run"] = self.run

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Take the random numbers, and count batches as this run accumulates them.

        Lightning steps where the number of batches so far is a multiple of `accumulate`: after another one it would
        step in the middle of every step that follows.
        """
        torch.set_rng_state(checkpoint["random_state"])
        done = checkpoint["global_step"] * trainer.accumulate_grad_batches
        progress = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]
        for counts in (progress["total"], progress["current"]):
            moved = done - counts["ready"]
            counts.update({name: count + moved for name, count in counts.items()})

    def checkpoint_to_resume(self, out: Path) -> Path | None:
        """The checkpoint of the latest step in `out`, if the settings ask for it.

        Raises:
            CheckpointError: There is none, it cannot be read, or it is of a run with other settings or captures.
        """
        resume = self.config.trainer.resume
        found = {
            int(match[1]): path
            for path in (out / "checkpoints").glob("*.ckpt")
            if (match := re.fullmatch(r"step_(\d+)\.ckpt", path.name))
        }
        if not resume or (resume == "auto" and not found):
            return None
        if not found:
            raise CheckpointError(
                f"{out / 'checkpoints'} holds no checkpoint to resume from",
                hint=f"one is written every {self.config.trainer.checkpoint_every} steps; --trainer.resume auto begins "
                "the run where there is none",
            )
        newest = found[max(found)]
        self._require_same_run(newest)
        return newest

    def _require_same_run(self, path: Path) -> None:
        try:
            stored = dict(torch.load(path, weights_only=True, mmap=True)["run"])
        except Exception as error:  # damaged files raise whatever the unpickler stumbles over
            raise CheckpointError(
                f"{path}: not a checkpoint of a run ({type(error).__name__})",
                hint="remove it, and the one before will be taken, or start anew",
            ) from error
        if BACKBONE not in stored and stored["loss"]["perceptual_weights"] is not None:
            stored[BACKBONE] = self.run[BACKBONE] or "some file"  # of which the checkpoint is too old to know the hash
        differing = list(_differences(_with_defaults(stored, _plain(asdict(TrainConfig()))), self.run))
        if differing:
            name, then, now = differing[0]
            raise CheckpointError(
                f"{path} is of a run with other settings: {name} was {then}, now {now}"
                + (f", and {len(differing) - 1} more" if len(differing) > 1 else ""),
                hint="give --loss.perceptual_weights the file that the run began with, or none where it had none"
                if name == BACKBONE
                else "resume with the settings of the run, or start a new one with trainer.init_from and another out",
            )


def perceptual_backbone(loss: LossConfig) -> str | None:
    """Hash of the file that the perceptual term is computed with; None for a run without the term.

    Raises:
        CheckpointError: The file cannot be read.
    """
    if not loss.perceptual or loss.perceptual_weights is None:
        return None
    try:
        return f"a file of hash {sha256_of(Path(loss.perceptual_weights))[:16]}"
    except OSError as error:
        raise CheckpointError(
            f"{loss.perceptual_weights}: the backbone of the perceptual term cannot be read ({error})",
            hint="name the file of VGG-19 weights as loss.perceptual_weights (docs/training.md)",
        ) from error


def require_new(out: Path) -> None:
    """Refuse a folder in which a run has left checkpoints: a new one would mix with it.

    Raises:
        InputError: There are some.
    """
    if any((out / "checkpoints").glob("*.ckpt")) or any(out.glob("hpc_ckpt_*.ckpt")):
        raise InputError(
            f"{out} holds the checkpoints of a run",
            hint="give --trainer.resume true to go on with it, or another --trainer.out",
        )


def _differences(then: dict[str, Any], now: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    for name in sorted(then.keys() | now.keys()):
        a, b = then.get(name), now.get(name)
        if isinstance(a, dict) and isinstance(b, dict):
            yield from _differences(a, b, f"{prefix}{name}.")
        elif a != b and not MAY_CHANGE.fullmatch(f"{prefix}{name}"):
            yield f"{prefix}{name}", a, b


def _with_defaults(stored: Any, defaults: dict[str, Any]) -> Any:
    """Settings of a checkpoint, with today's defaults for those that there were none of when it was written."""
    if not isinstance(stored, dict):
        return stored
    filled = dict(stored)
    for name, value in defaults.items():
        if name not in filled:
            filled[name] = value
        elif isinstance(value, dict):
            filled[name] = _with_defaults(filled[name], value)
    return filled


def _plain(tree: Any) -> Any:
    """Lists for tuples, so that a tree equals itself when it was saved and read."""
    if isinstance(tree, dict):
        return {key: _plain(value) for key, value in tree.items()}
    return [_plain(value) for value in tree] if isinstance(tree, list | tuple) else tree
