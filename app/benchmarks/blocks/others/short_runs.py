"""Heads, optimisers and whole-network options: what the small iLRM of the quality study learns in a short run."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.benchmarks.blocks.study import Run, Study, train_config
from app.benchmarks.blocks.variants import BASELINE
from models.ilrm.config import ILRMConfig
from models.ilrm.objective import OptimConfig
from models.training import TrainConfig, train
from models.training.curves import HeldOutCurve
from recon.errors import TrainingError

RATES = (5e-4, 1e-3, 2e-3, 4e-3)
Change = Callable[[TrainConfig], TrainConfig]


def _network(change: Callable[[ILRMConfig], ILRMConfig]) -> Change:
    return lambda config: replace(config, ilrm=change(config.ilrm))


def _optimiser(change: Callable[[OptimConfig], OptimConfig]) -> Change:
    return lambda config: replace(config, optim=change(config.optim))


SHORT: dict[str, tuple[Change, tuple[float, ...]]] = {
    "adamw": (_optimiser(lambda optim: optim), RATES),
    "muon": (_optimiser(lambda optim: replace(optim, kind="muon")), RATES),
    "lamb": (_optimiser(lambda optim: replace(optim, kind="lamb")), tuple(4 * rate for rate in RATES)),
    "unit_rows": (_network(lambda net: replace(net, block=replace(net.block, weight_condition=True))), RATES),
    "residual_mlp_head": (_network(lambda net: replace(net, head="residual_mlp")), RATES),
    "fourier_head": (_network(lambda net: replace(net, head="fourier")), RATES),
}
"""Name -> what differs from the dense network with AdamW and a linear head, and the rates that are tried. Steps of LAMB
are a share of the length of a matrix, whatever the gradient; its rates are larger."""


def measure(name: str, data: Path, study: Study) -> dict[str, Any]:
    """Held-out PSNR after a short run at every rate.

    Args:
        name: In `SHORT`.
        data: Folder of rooms.
        study: Whose short runs are made, with its seed.

    Returns:
        "psnr_db": rate -> dB, None for a run that failed; "cpu_ms_a_step": of the fastest run.
    """
    change, rates = SHORT[name]
    scores: dict[str, float | None] = {}
    times: list[float] = []
    for rate in rates:
        curve = HeldOutCurve()
        with tempfile.TemporaryDirectory() as scratch:
            run = Run(BASELINE, rate, study.trial_seed, study.trial_steps)
            config = change(train_config(study, run, data, Path(scratch)))
            try:
                train(config, [curve])
            except TrainingError:
                scores[f"{rate:g}"] = None
                continue
        last = curve.points[-1]
        scores[f"{rate:g}"] = last.figures["psnr"]
        times.append(1000 * last.cpu_seconds / last.step)
    return {"psnr_db": scores, "cpu_ms_a_step": min(times) if times else None}
