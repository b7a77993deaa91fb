"""CPU time of a training step with every block, taken in turns.

Runs of the study have different neighbours, and what shares caches and cores slows a run down by more than blocks
differ. So a curve over time is a curve over steps, times what one step takes here.
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import torch

from app.benchmarks.blocks.machine import Others, facts, load, verdict
from app.benchmarks.blocks.study import Run, Study, train_config
from models.ilrm.module import ILRMModule
from models.training.data import SceneDataModule
from models.training.networks import make_module
from recon.data.scene_batches import SceneBatch

FILE = "step_times.json"
ROUNDS, REPEATS, WARM_UP = 12, 3, 1
"""Every block in each round, the rounds at progress spread over the training; of some steps in a row the fastest."""


def time_steps(study: Study, names: Sequence[str], data: Path, rounds: int = ROUNDS) -> dict[str, Any]:
    """Time one step of every variant, round by round; meant to be the only thing that its process does.

    Args:
        study: Of the network and the data.
        names: Of variants.
        data: Folder of rooms.
        rounds: In each of which every variant has its turn.

    Returns:
        "milliseconds": name -> CPU time of a step, mean over the rounds, without data; "machine", "quiet" and "said".
    """
    torch.set_num_threads(1)
    machine, load_before = facts(), load()
    with tempfile.TemporaryDirectory() as scratch:
        steppers = {name: _Stepper(study, name, data, Path(scratch)) for name in names}
    for stepper in steppers.values():
        for _ in range(WARM_UP):
            stepper.step(0)
    others = Others()
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        at = round((number + 0.5) / rounds * study.steps)
        for name, stepper in steppers.items():
            times[name].append(min(stepper.step(at) for _ in range(REPEATS)))
    return {
        "milliseconds": {name: mean(values) for name, values in times.items()},
        "machine": machine,
        **verdict(load_before, others.cores()),
    }


class _Stepper:
    """One variant in training, on one batch."""

    def __init__(self, study: Study, name: str, data: Path, scratch: Path):
        config = train_config(study, Run(name, study.rates[0], study.seeds[0], study.steps), data, scratch)
        torch.manual_seed(config.data.seed)
        self.module: ILRMModule = make_module(config).train()
        self.batch: SceneBatch = SceneDataModule(config).train_batches[list(range(study.batch_size))]
        self.optimiser: torch.optim.Optimizer = self.module.configure_optimizers()["optimizer"]
        self.clip_norm = config.trainer.clip_norm

    def step(self, number: int) -> float:
        """Milliseconds of CPU time of what a training step computes, as step `number` of a run."""
        began = time.process_time()
        self.module.prepare_blocks(number)
        terms = self.module.terms(self.batch)
        torch.stack(list(terms.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(self.module.network.parameters(), self.clip_norm)
        self.optimiser.step()
        self.optimiser.zero_grad()
        if self.module.average is not None:
            self.module.average.update_parameters(self.module.network)
        return 1000 * (time.process_time() - began)
