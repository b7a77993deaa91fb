"""Training runs: from a config to weights."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger
from torch.utils.data import DataLoader

from models.hub import load_pretrained, save_pretrained
from models.ilrm.nano.config import NanoConfig
from models.ilrm.nano.module import LossConfig, NanoModule, OptimConfig
from models.settings import fault_in_sizes
from recon.data.room_batches import RoomBatch, RoomBatches, RoomDataConfig
from recon.errors import InputError, TrainingError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainerConfig:
    """How a run is carried out.

    Attributes:
        out: Folder of logs, checkpoints and exported weights.
        max_steps: Optimiser steps.
        devices: Processes; more than one runs DistributedDataParallel.
        threads: Threads of each process.
        clip_norm: Gradients are scaled down to this norm.
        log_every: Steps between log lines.
        val_every: Steps between evaluations on held-out rooms.
        val_batches: Batches of one evaluation.
        checkpoint_every: Steps between checkpoints and exports.
        init_from: Folder or name of weights to start from, or None.
    """

    out: str = "runs/rooms_nano"
    max_steps: int = 10_000
    devices: int = 1
    threads: int = 2
    clip_norm: float = 1.0
    log_every: int = 50
    val_every: int = 1000
    val_batches: int = 16
    checkpoint_every: int = 1000
    init_from: str | None = None


@dataclass(frozen=True)
class TrainConfig:
    """A whole training run; one YAML file in `configs/experiment`."""

    model: NanoConfig = field(default_factory=NanoConfig)
    data: RoomDataConfig = field(default_factory=RoomDataConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)


class StopOnNonFinite(pl.Callback):
    """Ends training before an optimiser step would write NaN into the weights, and names the batch."""

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        """Look at the norm of all gradients, which is non-finite when any of them or the loss is."""
        gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
        if not torch.isfinite(torch.nn.utils.get_total_norm(gradients)):
            raise TrainingError(
                f"non-finite gradient at step {trainer.global_step}; the weights are untouched",
                hint="batch number and seed give the same batch again; lower the learning rate or look at its data",
            )


class ExportWeights(pl.Callback):
    """Writes the averaged weights as a loadable folder every so many steps and at the end."""

    def __init__(self, folder: Path, config: NanoConfig, every: int):
        self.folder, self.config, self.every = folder, config, every

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: Any) -> None:
        """Export when due."""
        if trainer.global_step % self.every == 0 and trainer.is_global_zero:
            self._export(pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Export the final weights."""
        if trainer.is_global_zero:
            self._export(pl_module)

    def _export(self, module: pl.LightningModule) -> None:
        if not isinstance(module, NanoModule):
            raise TypeError(f"expected NanoModule, got {type(module).__name__}")
        save_pretrained(self.folder, "ilrm-nano", module.average.module, self.config)


def train(config: TrainConfig) -> Path:
    """Run a training and return the folder of the exported weights.

    Raises:
        InputError: Settings that no run can be made with, or no rooms to train on.
        CheckpointError: `init_from` names no weights.
        TrainingError: A gradient is not finite.
    """
    require_usable(config)
    settings = config.trainer
    out = Path(settings.out)
    train_data = RoomBatches(config.data, settings.max_steps * settings.devices)
    val_data = RoomBatches(config.data, settings.val_batches, "val")
    torch.set_num_threads(settings.threads)
    pl.seed_everything(config.data.seed, verbose=False)
    module = NanoModule(config.model, config.optim, config.loss, settings.max_steps, config.data.seed)
    if settings.init_from:
        source = load_pretrained(settings.init_from)
        module.network.load_state_dict(source.network.state_dict())
        module.average.module.load_state_dict(source.network.state_dict())
        log.info("starting from %s (%s)", settings.init_from, source.sha256[:12])
    trainer = _trainer(config, out)
    trainer.fit(module, _loader(train_data), _loader(val_data))
    return out / "weights"


def require_usable(config: TrainConfig) -> None:
    """Raise InputError where a setting makes no sense, before anything is allocated."""
    settings = config.trainer
    counts = {"devices": settings.devices, "threads": settings.threads, "log_every": settings.log_every}
    counts |= {"max_steps": settings.max_steps, "val_every": settings.val_every, "val_batches": settings.val_batches}
    counts |= {"checkpoint_every": settings.checkpoint_every}
    for name, count in counts.items():
        if count < 1:
            raise InputError(f"trainer.{name} is {count}, expected at least 1")
    if fault := fault_in_sizes(config.model):
        raise InputError(f"model: {fault}")


def _trainer(config: TrainConfig, out: Path) -> pl.Trainer:
    settings = config.trainer
    checkpoint = ModelCheckpoint(
        out / "checkpoints", every_n_train_steps=settings.checkpoint_every, save_top_k=1, monitor=None, save_last=True
    )
    return pl.Trainer(
        accelerator="auto",
        devices=settings.devices,
        strategy="ddp" if settings.devices > 1 else "auto",
        max_steps=settings.max_steps,
        max_epochs=-1,
        gradient_clip_val=settings.clip_norm,
        logger=[CSVLogger(out, name="csv"), TensorBoardLogger(out, name="tensorboard")],
        log_every_n_steps=settings.log_every,
        val_check_interval=settings.val_every,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[
            StopOnNonFinite(),
            checkpoint,
            ExportWeights(out / "weights", config.model, settings.checkpoint_every),
        ],
    )


def _loader(data: RoomBatches) -> DataLoader[RoomBatch]:
    return DataLoader(data, batch_size=None, shuffle=False)
