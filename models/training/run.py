"""One run: fit, checkpoints, exact resume."""

import logging
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import LearningRateMonitor, ModelCheckpoint
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger
from pytorch_lightning.strategies import DDPStrategy

from models.training.callbacks import ExportWeights, ShowPictures, StopOnNonFinite, TimeShares
from models.training.config import TrainConfig, require_usable
from models.training.data import SceneDataModule
from models.training.networks import make_module
from models.training.processes import environment, require_devices, require_started
from models.training.randomised import randomise_feed_forwards
from models.training.resume import RunState, WholeCheckpoints, require_new
from models.training.start import start_from

logger = logging.getLogger(__name__)
KEPT_CHECKPOINTS = 2
"""The newest, and one to go back to where it is damaged."""
logging.getLogger("pytorch_lightning.utilities.rank_zero").setLevel(logging.WARNING)  # devices, advertisements
for _message in (".*LeafSpec.*is deprecated", ".*dataloader is not resumable", "Checkpoint directory .* exists"):
    warnings.filterwarnings("ignore", message=_message, module="pytorch_lightning")


def train(config: TrainConfig, callbacks: Sequence[pl.Callback] = ()) -> Path:
    """Run a training and return the folder of the exported weights.

    Args:
        config: All settings.
        callbacks: Whatever else is to happen beside the steps; called before those of every run.

    Raises:
        InputError: Settings that no run can be made with, no captures to train on, or a run in the same folder.
        CheckpointError: `init_from` names no weights, or there is no checkpoint of this run to go on from.
        ResourceError: More GPUs are asked for than there are, or a library that the adapter needs is not installed.
        TrainingError: A gradient is not finite.
    """
    require_usable(config)
    require_devices(config.trainer)
    require_started(config.trainer)
    out = Path(config.trainer.out)
    data = SceneDataModule(config)
    state = RunState(config, data.train_batches.source.names)
    checkpoint = state.checkpoint_to_resume(out)
    if checkpoint is None:
        require_new(out)
    torch.set_num_threads(config.trainer.threads)
    pl.seed_everything(config.data.seed, verbose=False)
    module = make_module(config)
    if checkpoint is not None:
        logger.info("going on from %s", checkpoint)
    elif config.trainer.init_from:
        start_from(module, config.trainer.init_from)
    if config.trainer.adapter.kind != "none":
        module.adapt(config.trainer.adapter)
    times = TimeShares()
    first = [*callbacks, StopOnNonFinite(), state]
    if config.trainer.randomised_backward is not None:
        first.append(randomise_feed_forwards(module.network, config.trainer.randomised_backward))
    trainer = _trainer(config, out, times, first)
    trainer.fit(module, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    logger.info("%s", times.summary())
    for reason, count in Counter(module.skipped.values()).most_common():
        logger.warning("%d captures were left out: %s", count, reason)
    return out / "weights"


def _trainer(config: TrainConfig, out: Path, times: TimeShares, first: list[Any]) -> pl.Trainer:
    settings = config.trainer
    processes = settings.devices * settings.num_nodes
    callbacks: list[Any] = [
        *first,
        LearningRateMonitor("step"),
        ModelCheckpoint(out / "checkpoints", "step_{step:07d}", every_n_train_steps=settings.checkpoint_every,
                        auto_insert_metric_name=False, monitor="step", mode="max", save_top_k=KEPT_CHECKPOINTS,
                        save_on_train_epoch_end=True),  # else the last step waits for an evaluation that may not come
        ExportWeights(out / "weights", settings.checkpoint_every),
        ShowPictures(out / "pictures"),
    ]  # fmt: skip
    return pl.Trainer(
        accelerator=settings.accelerator,
        devices=settings.devices,
        num_nodes=settings.num_nodes,
        strategy=_strategy(config, processes),
        use_distributed_sampler=False,
        max_steps=settings.max_steps,
        max_epochs=-1,
        accumulate_grad_batches=settings.accumulate,
        gradient_clip_val=settings.clip_norm,
        plugins=[WholeCheckpoints(), *environment()],
        default_root_dir=out,
        logger=[CSVLogger(out, name="csv"), TensorBoardLogger(out, name="tensorboard")],
        log_every_n_steps=settings.log_every,
        val_check_interval=settings.val_every * settings.accumulate,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        profiler=times,
        callbacks=callbacks,
    )


def _strategy(config: TrainConfig, processes: int) -> str | DDPStrategy:
    """How processes share a step.

    Buffers are constant or follow from the step, so none is sent again with each: those of VGG-19 take 61 MB.
    Guides of self-guided matrices get no gradient once they have faded out; without being told to look for such
    parameters, DistributedDataParallel waits for theirs, and ends the run.
    """
    if processes == 1:
        return "auto"
    block = config.sizes.block
    guided = block.attention.linear.self_guided or block.feed_forward.linear.self_guided
    return DDPStrategy(broadcast_buffers=False, find_unused_parameters=guided)
