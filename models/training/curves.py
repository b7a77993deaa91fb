"""What benchmarks keep of a run: the figures of held-out captures over its steps, and the network as it was trained."""

import time
from typing import Any, NamedTuple, cast

import pytorch_lightning as pl
from torch import nn

from models.ilrm.module import ILRMModule


class CurvePoint(NamedTuple):
    """One evaluation.

    Attributes:
        step: Optimiser steps so far.
        cpu_seconds: CPU time that they took, over all threads of this process; without data, evaluation and exports.
        seconds: The same by the clock.
        figures: What was logged below "val/".
    """

    step: int
    cpu_seconds: float
    seconds: float
    figures: dict[str, float]


class HeldOutCurve(pl.Callback):
    """Keeps a point for every evaluation of a run."""

    def __init__(self) -> None:
        self.points: list[CurvePoint] = []
        self._cpu = self._wall = 0.0
        self._began = (0.0, 0.0)

    def on_train_batch_start(self, *args: Any) -> None:
        """The batch is there; the clocks run."""
        self._began = (time.process_time(), time.perf_counter())

    def on_train_batch_end(self, *args: Any) -> None:
        """The weights have changed."""
        self._cpu += time.process_time() - self._began[0]
        self._wall += time.perf_counter() - self._began[1]

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Add a point."""
        figures = {
            name.removeprefix("val/"): float(value)
            for name, value in trainer.callback_metrics.items()
            if name.startswith("val/")
        }
        self.points.append(CurvePoint(trainer.global_step, self._cpu, self._wall, figures))


class TrainedNetwork(pl.Callback):
    """Keeps the network that is evaluated, in the form that is trained: exported weights have the one that is used."""

    network: nn.Module

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep it."""
        self.network = cast(ILRMModule, pl_module).evaluated
