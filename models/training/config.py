"""All settings of a training run; the tree of the YAML files in `configs/experiment`."""

from dataclasses import dataclass, field
from typing import Literal

from models.adapters import AdapterConfig
from models.block_settings import fault_in_randomised
from models.ilrm.config import ILRMConfig
from models.ilrm.nano.config import NanoConfig
from models.ilrm.objective import LossConfig, OptimConfig
from models.settings import fault_in_sizes, size_multiple
from recon.data.scene_batches import DataConfig, require_usable_data
from recon.errors import InputError


@dataclass(frozen=True)
class TrainerConfig:
    """How a run is carried out.

    Attributes:
        out: Folder of logs, checkpoints, pictures and exported weights.
        max_steps: Optimiser steps.
        devices: Processes on each machine; more than one in all run DistributedDataParallel.
        accelerator: "auto" takes a GPU for each process of a machine, and the CPU only for a single process without
            one; "cpu" takes the CPU for all.
        num_nodes: Machines, started by SLURM or torchrun (docs/training.md).
        accumulate: Batches whose gradients are added up for one optimiser step.
        threads: Threads of each process.
        precision: "auto" computes the network in bfloat16 where that is fast, "float32" never does.
        clip_norm: Gradients are scaled down to this norm.
        log_every: Steps between log lines.
        val_every: Steps between evaluations on held-out captures.
        val_batches: Batches of one evaluation.
        checkpoint_every: Steps between checkpoints and exports.
        init_from: Folder or name of weights to start from, or a file of another run's `checkpoints`, or None.
        adapter: Which few numbers are trained beside weights that stay as `init_from` has them; exported merged into
            them. Of kind "none", all weights are trained.
        randomised_backward: Share of the rows of their inputs that the linear maps of feed-forward layers keep for the
            backward pass, as random projections; less memory, and gradients of their weights that are right on average
            only (Bershatsky et al. 2022). None keeps all.
        resume: Go on from the newest checkpoint in `out`, exactly as if the run had never stopped; `init_from` was its
            beginning and is not read again. "auto" begins the run where there is no checkpoint yet.
    """

    out: str = "runs/rooms_nano"
    max_steps: int = 10_000
    devices: int = 1
    accelerator: Literal["auto", "cpu"] = "auto"
    num_nodes: int = 1
    accumulate: int = 1
    threads: int = 2
    precision: Literal["auto", "float32"] = "auto"
    clip_norm: float = 1.0
    log_every: int = 50
    val_every: int = 1000
    val_batches: int = 16
    checkpoint_every: int = 1000
    init_from: str | None = None
    adapter: AdapterConfig = field(default_factory=lambda: AdapterConfig("none"))
    randomised_backward: float | None = None
    resume: bool | Literal["auto"] = False

    @property
    def parts(self) -> int:
        """Parts that the samples of one optimiser step are divided into: processes times accumulated batches."""
        return self.devices * self.num_nodes * self.accumulate


@dataclass(frozen=True)
class TrainConfig:
    """A whole training run.

    Attributes:
        network: Which section of sizes is used: `nano` or `ilrm`.
        nano: Sizes of iLRM-nano.
        ilrm: Sizes and variant of the published iLRM.
        data: What a batch is made of.
        optim: Optimiser and schedule.
        loss: Weights of the loss terms.
        trainer: How the run is carried out.
    """

    network: Literal["ilrm-nano", "ilrm"] = "ilrm-nano"
    nano: NanoConfig = field(default_factory=NanoConfig)
    ilrm: ILRMConfig = field(default_factory=ILRMConfig)
    data: DataConfig = field(default_factory=DataConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)

    @property
    def sizes(self) -> NanoConfig | ILRMConfig:
        """The section of the chosen network."""
        return self.nano if self.network == "ilrm-nano" else self.ilrm


def require_usable(config: TrainConfig) -> None:
    """Raise InputError where a setting makes no sense, before anything is allocated or written."""
    settings = config.trainer
    names = ("max_steps", "devices", "num_nodes", "accumulate", "threads")
    for name in (*names, "log_every", "val_every", "val_batches", "checkpoint_every"):
        if getattr(settings, name) < 1:
            raise InputError(f"trainer.{name} is {getattr(settings, name)}, expected at least 1")
    if settings.adapter.kind != "none" and not settings.init_from:
        raise InputError(
            f"trainer.adapter.kind is {settings.adapter.kind}, but there are no weights that it is added to",
            hint="name them by trainer.init_from, or leave the adapter out",
        )
    require_usable_data(config.data)
    if fault := fault_in_sizes(config.sizes):
        raise InputError(f"{'nano' if config.network == 'ilrm-nano' else 'ilrm'}: {fault}")
    _require_randomisable(config)
    multiple = size_multiple(config.sizes)
    if any(side % multiple for side in config.data.size):
        raise InputError(f"data.size is {list(config.data.size)}, expected multiples of {multiple} for this network")
    if config.data.batch_size % settings.parts:
        raise InputError(
            f"data.batch_size is {config.data.batch_size}, expected a multiple of {settings.parts}: "
            f"{settings.devices} devices x {settings.num_nodes} nodes x {settings.accumulate} accumulated batches"
        )


def _require_randomisable(config: TrainConfig) -> None:
    share = config.trainer.randomised_backward
    if share is None:
        return
    if fault := fault_in_randomised(share, config.sizes.block):
        raise InputError(f"trainer.randomised_backward {fault}")
    if config.trainer.adapter.kind != "none":
        raise InputError(
            "trainer.randomised_backward is given with an adapter, beside which these matrices are not trained",
            hint="leave one of the two out",
        )
