"""One run of the quality study: the same small iLRM, the same data and steps, other blocks."""

import hashlib
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from app.benchmarks.blocks.machine import facts
from app.benchmarks.blocks.variants import VARIANTS
from models.ilrm.config import ILRMConfig
from models.ilrm.nano.config import FeedbackConfig, NanoConfig
from models.ilrm.objective import LossConfig, OptimConfig
from models.training import TrainConfig, TrainerConfig
from models.training.curves import HeldOutCurve, TrainedNetwork
from recon.data.scene_batches import DataConfig
from recon.data.views.config import ViewsConfig
from recon.data.views.whole_span import RandomSpan
from recon.errors import TrainingError
from recon.io.json_file import write_json
from recon.io.part_entries import part_folder

SCRATCH = "run"
"""Name of the hidden folder of logs and checkpoints; what killed runs left of it is removed by the next one."""


@dataclass(frozen=True)
class Study:
    """What all runs share.

    The rate is constant and the averaged weights are judged, so that a curve means the same at every point and can be
    read off at any time; a rate that falls to the end of the run would favour the end.

    Why iLRM and this length: with iLRM-nano dense blocks came to 25.36 dB and blocks that keep views apart to 25.34
    (600 steps), for its plane sweep does their work. Dense iLRM has 15.9 dB after 500 steps, 18.0 after 1500, 19.6
    after 3000 in 395 CPU seconds, 478 with data and evaluations (rate 0.002); showing the nearest context view would
    give 20.0.

    Attributes:
        network: "ilrm", in which all that views tell of depth goes through the blocks; or "ilrm-nano", in which a plane
            sweep finds the depth and blocks refine it.
        size: Side of the pictures in pixels.
        views: Context views of every sample.
        batch_size: Samples of a step.
        steps: Of a whole run.
        points: Evaluations of a whole run.
        val_batches: Of an evaluation; two samples each.
        dim: Token width.
        head_dim: Width of one attention head.
        num_layers: Update layers; twice as many blocks.
        patch: Side of a patch of iLRM in pixels.
        warmup_steps: Of the rate, in every run.
        ema_decay: Of the averaged weights.
        rates: Learning rates that are tried for every block, in runs of a quarter of the steps.
        seeds: Of whole runs; the same seed gives all blocks the same batches.
        trial_seed: Of the runs by which the rate is chosen.
        block_loss: Weight of what blocks ask for themselves (`LossConfig.blocks`). It is made for losses of about 1;
            the squared error of these pictures is about 1/100.
    """

    network: Literal["ilrm", "ilrm-nano"] = "ilrm"
    size: int = 64
    views: int = 4
    batch_size: int = 2
    steps: int = 2400
    points: int = 12
    val_batches: int = 32
    dim: int = 128
    head_dim: int = 32
    num_layers: int = 4
    patch: int = 8
    warmup_steps: int = 100
    ema_decay: float = 0.99
    rates: tuple[float, ...] = (5e-4, 1e-3, 2e-3)
    seeds: tuple[int, ...] = (0, 1, 2)
    trial_seed: int = 100
    block_loss: float = 0.01

    @property
    def trial_steps(self) -> int:
        """Steps of a run by which the rate is chosen."""
        return max(1, self.steps // 4)

    @property
    def val_every(self) -> int:
        """Steps between evaluations."""
        return max(1, self.steps // self.points)


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        variant: Name in `VARIANTS`.
        rate: Learning rate of a dense matrix.
        seed: Of weights and data.
        steps: Optimiser steps.
    """

    variant: str
    rate: float
    seed: int
    steps: int

    @property
    def file_name(self) -> str:
        """Where its figures are kept."""
        return f"{self.variant}.rate{self.rate:g}.seed{self.seed}.steps{self.steps}.json"


def stored_study(stored: dict[str, Any]) -> Study:
    """The study that a file of figures holds."""
    settings: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in stored.items()}
    return Study(**settings)


def data_fingerprint(data: Path) -> str:
    """Which rooms a folder holds: a hash of the names and sizes of its files."""
    files = sorted(path for path in data.rglob("*") if path.is_file())
    listing = "\n".join(f"{path.relative_to(data).as_posix()} {path.stat().st_size}" for path in files)
    return hashlib.blake2b(listing.encode(), digest_size=16).hexdigest()


def network_config(study: Study, variant: str) -> ILRMConfig | NanoConfig:
    """The network with the block of a variant."""
    widths: dict[str, Any] = {"dim": study.dim, "head_dim": study.head_dim, "num_layers": study.num_layers}
    if study.network == "ilrm":
        return ILRMConfig(**widths, patch=study.patch, scale_from="centred", block=VARIANTS[variant])
    sweep: dict[str, Any] = {
        "feature_dim": 32,
        "match_dim": 16,
        "coarse_planes": 32,
        "fine_planes": 8,
        "finest_planes": 6,
    }
    return NanoConfig(**widths, **sweep, block=VARIANTS[variant], feedback=FeedbackConfig(passes=0))


def train_config(study: Study, run: Run, data: Path, out: Path) -> TrainConfig:
    """The settings of a run, on one thread."""
    every = min(study.val_every, run.steps)
    section = {"ilrm": "ilrm", "ilrm-nano": "nano"}[study.network]
    sizes: dict[str, Any] = {section: network_config(study, run.variant)}
    return TrainConfig(
        network=study.network,
        **sizes,
        data=DataConfig(
            folder=str(data),
            format="rooms",
            size=(study.size, study.size),
            batch_size=study.batch_size,
            views=ViewsConfig(random_span=RandomSpan(num_context=(study.views,), num_targets=2)),
            smallest_crop=1.0,
            mirror=0.5,
            colour_jitter=0.0,
            seed=run.seed,
        ),
        optim=OptimConfig(lr=run.rate, warmup_steps=study.warmup_steps, ema_decay=study.ema_decay),
        loss=LossConfig(gradient=0.0, dssim=0.0, blocks=study.block_loss),
        trainer=TrainerConfig(
            out=str(out),
            max_steps=run.steps,
            threads=1,
            log_every=every,
            val_every=every,
            val_batches=study.val_batches,
            checkpoint_every=run.steps,
        ),
    )


def perform(study: Study, run: Run, data: Path, folder: Path) -> Path:
    """Train, judge, and write the figures as one file, whole or not at all.

    A run whose loss or gradients stop being finite is a result too: its file says so.
    """
    from app.benchmarks.blocks.judging import judge
    from models.training.run import train

    curve, trained = HeldOutCurve(), TrainedNetwork()
    started, cpu = time.perf_counter(), time.process_time()
    before = facts()
    failed, judged = "", {}
    with part_folder(folder, SCRATCH) as scratch:
        config = train_config(study, run, data, scratch.path)
        try:
            train(config, [curve, trained])
            judged = judge(config, trained.network)
        except TrainingError as error:
            failed = error.message
    figures = {
        "run": asdict(run),
        "study": asdict(study),
        "data": data_fingerprint(data),
        "block": asdict(VARIANTS[run.variant]),
        "failed": failed,
        "curve": [point._asdict() for point in curve.points],
        **judged,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu,
        "machine": before,
        "load_average_after": facts()["load_average"],
    }
    path = folder / run.file_name
    write_json(path, figures)
    return path
