"""Batches for Lightning, which begin at the step that a resumed run has come to."""

import math
from collections.abc import Iterator

import pytorch_lightning as pl
from torch.utils.data import DataLoader, Dataset, Sampler

from models.training.config import TrainConfig
from recon.data.captures.open_source import open_captures
from recon.data.scene_batches import HELD_OUT_BATCH, SceneBatch, SceneBatches
from recon.errors import InputError, ReconError


class StepNumbers(Sampler[list[int]]):
    """Numbers of the samples of each batch that one process sees.

    Step s has samples s * batch_size and up. They are divided evenly: first among accumulated batches, then among
    processes.

    Args:
        batch_size: Samples of a step.
        accumulate: Batches that a process sees in a step.
        world_size: Processes.
        rank: Number of this process.
        first_step: Steps before this one are left out.
        num_steps: Steps of the whole run.
    """

    def __init__(
        self, batch_size: int, accumulate: int, world_size: int, rank: int, *, first_step: int, num_steps: int
    ):
        self.batch_size, self.accumulate = batch_size, accumulate
        self.share, rest = divmod(batch_size, accumulate * world_size)
        if rest or not self.share:
            raise InputError(
                f"batches of {batch_size} captures cannot be divided among {world_size} processes x {accumulate} "
                "accumulated batches",
                hint="data.batch_size must be a multiple of both together",
            )
        self.world_size, self.rank = world_size, rank
        self.first_step, self.num_steps = first_step, num_steps

    def __len__(self) -> int:
        """Batches of the whole run: Lightning counts those before the first step as done."""
        return self.num_steps * self.accumulate

    def __iter__(self) -> Iterator[list[int]]:
        for step in range(self.first_step, self.num_steps):
            for part in range(self.accumulate):
                start = step * self.batch_size + (part * self.world_size + self.rank) * self.share
                yield list(range(start, start + self.share))


class SceneLoader(DataLoader[SceneBatch | ReconError]):
    """Batches, made ahead in other processes; an error of them is raised here as what it is.

    As the loader of torch passes them on, the text of an error would be a traceback, and its hint would be lost.
    """

    def __iter__(self) -> Iterator[SceneBatch]:  # pyright: ignore[reportIncompatibleMethodOverride]
        for batch in super().__iter__():
            if isinstance(batch, ReconError):
                raise batch
            yield batch


class _ErrorsAsValues(Dataset[SceneBatch | ReconError]):
    def __init__(self, batches: SceneBatches):
        self.batches = batches

    def __getitem__(self, numbers: list[int]) -> SceneBatch | ReconError:
        try:
            return self.batches[numbers]
        except ReconError as error:
            return error


class SceneDataModule(pl.LightningDataModule):
    """Training and held-out batches of one data set.

    Args:
        config: Of the run.

    Raises:
        InputError: There is no such data set, or no capture in it.
    """

    def __init__(self, config: TrainConfig):
        super().__init__()
        self.config = config
        data = config.data
        train, val = (open_captures(data.folder, data.format, split, data.read) for split in ("train", "val"))
        self.train_batches = SceneBatches(train, data, augment=True)
        self.val_batches = SceneBatches(val, data, augment=False)

    def train_dataloader(self) -> SceneLoader:
        """From the trainer's step on."""
        trainer = self._trainer
        numbers = StepNumbers(
            self.config.data.batch_size,
            self.config.trainer.accumulate,
            trainer.world_size,
            trainer.global_rank,
            first_step=trainer.global_step,
            num_steps=self.config.trainer.max_steps,
        )
        return _loader(self.train_batches, numbers, self.config.data.workers)

    def val_dataloader(self) -> SceneLoader:
        """The same batches at every evaluation, divided among the processes, some twice to give each equally many."""
        trainer, num = self._trainer, self.config.trainer.val_batches
        each = math.ceil(num / trainer.world_size)
        batches = [(i * trainer.world_size + trainer.global_rank) % num for i in range(each)]
        numbers = [list(range(b * HELD_OUT_BATCH, (b + 1) * HELD_OUT_BATCH)) for b in batches]
        return _loader(self.val_batches, numbers, min(self.config.data.workers, 1))

    @property
    def _trainer(self) -> pl.Trainer:
        if self.trainer is None:
            raise RuntimeError("batches are made for a trainer, which this data module was not given to")
        return self.trainer


def _loader(batches: SceneBatches, numbers: Sampler[list[int]] | list[list[int]], workers: int) -> SceneLoader:
    return SceneLoader(
        _ErrorsAsValues(batches), batch_size=None, sampler=numbers, num_workers=workers, persistent_workers=workers > 0
    )
