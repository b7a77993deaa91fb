"""What happens beside the steps of a run: a guard, exports, pictures, and where the time goes."""

import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytorch_lightning as pl
import torch
from jaxtyping import Float
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.profilers import Profiler
from torch import Tensor

from models.collectives import all_names
from models.forms import for_use
from models.hub import save_pretrained
from models.ilrm.module import ILRMModule
from recon.errors import TrainingError
from recon.io.atomic import atomic_write


class StopOnNonFinite(pl.Callback):
    """Ends training before an optimiser step would write NaN into the weights, and names the batch."""

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        """Look at the norm of all gradients, which is non-finite when any of them or the loss is.

        Gradients of all processes are one by now, so the samples of all of them are named.
        """
        gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
        if not torch.isfinite(torch.nn.utils.get_total_norm(gradients)):
            names = "; ".join(all_names(_module(pl_module).names_in_step))
            raise TrainingError(
                f"non-finite gradient at step {trainer.global_step}, of {names}; the weights are untouched",
                hint="look at these pictures and cameras, or lower the learning rate; the same step with the same "
                "seed gives the same batch again",
            )


class ExportWeights(pl.Callback):
    """Writes the averaged weights as a loadable folder every so many steps and at the end, in the form that is used."""

    def __init__(self, folder: Path, every: int):
        self.folder, self.every = folder, every
        self._exported = 0

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: Any) -> None:
        """Export when due, once a step."""
        step = trainer.global_step
        if step % self.every == 0 and step != self._exported and trainer.is_global_zero:
            self._exported = step
            self._export(pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Export the final weights."""
        if trainer.is_global_zero:
            self._export(pl_module)

    def _export(self, pl_module: pl.LightningModule) -> None:
        module = _module(pl_module)
        network = for_use(module.plain())
        save_pretrained(self.folder, module.network_name, network, network.config)


class ShowPictures(pl.Callback):
    """Photographs above predictions of the first held-out batch, as PNG in a folder and in TensorBoard."""

    def __init__(self, folder: Path):
        self.folder = folder

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the pictures that the evaluation left."""
        shown = _module(pl_module).shown
        if shown is None or not trainer.is_global_zero:
            return
        grid = _grid(shown)
        self.folder.mkdir(parents=True, exist_ok=True)
        pixels = (grid.permute(1, 2, 0).float().numpy(force=True) * 255).round().astype(np.uint8)
        done, encoded = cv2.imencode(".png", pixels[..., ::-1])
        if not done:
            raise TrainingError(f"a picture of {pixels.shape[1]} x {pixels.shape[0]} pixels could not be encoded")
        with atomic_write(self.folder / f"step_{trainer.global_step:07d}.png") as path:
            path.write_bytes(encoded.tobytes())
        for log in trainer.loggers:
            if isinstance(log, TensorBoardLogger):
                log.experiment.add_image("val", grid.float(), trainer.global_step)


class TimeShares(Profiler):
    """How long a run waits for batches and how long it computes; evaluation, checkpoints and logs count as neither."""

    WAITING = "[_TrainingEpochLoop].train_dataloader_next"
    COMPUTING = "run_training_batch"

    def __init__(self):
        super().__init__()
        self.seconds = {self.WAITING: 0.0, self.COMPUTING: 0.0}
        self.batches = 0
        self._began: dict[str, float] = {}

    def start(self, action_name: str) -> None:
        """Begin an action."""
        if action_name in self.seconds:
            self._began[action_name] = time.perf_counter()

    def stop(self, action_name: str) -> None:
        """End it."""
        if action_name in self._began:
            self.seconds[action_name] += time.perf_counter() - self._began.pop(action_name)
            self.batches += action_name == self.COMPUTING

    @property
    def data_share(self) -> float:
        """Part of the time that is spent waiting for batches."""
        return self.seconds[self.WAITING] / max(sum(self.seconds.values()), 1e-9)

    def summary(self) -> str:
        """In words."""
        rate = self.batches / max(sum(self.seconds.values()), 1e-9)
        return f"{self.batches} batches, {rate:.2f} a second, {self.data_share:.1%} of the time spent waiting for data"


def _module(pl_module: pl.LightningModule) -> ILRMModule:
    if not isinstance(pl_module, ILRMModule):
        raise TypeError(f"expected ILRMModule, got {type(pl_module).__name__}")
    return pl_module


def _grid(shown: Float[Tensor, "2 targets 3 height width"]) -> Float[Tensor, "3 rows columns"]:
    return torch.cat([torch.cat(list(row), dim=2) for row in shown], dim=1)
