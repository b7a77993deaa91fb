"""Heads, optimisers and whole-network options: what the small iLRM of the quality study learns in a short run."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from app.benchmarks.blocks.study import Run, Study, train_config
from app.benchmarks.blocks.variants import BASELINE, VARIANTS
from models.ilrm.config import ILRMConfig
from models.training import TrainConfig, train
from models.training.curves import HeldOutCurve
from recon.errors import TrainingError

RATES = (5e-4, 1e-3, 2e-3, 4e-3)
RATES_OF_MUON = (1e-3, 2e-3, 4e-3, 8e-3)
Change = Callable[[TrainConfig], TrainConfig]


def _network(change: Callable[[ILRMConfig], ILRMConfig]) -> Change:
    return lambda config: replace(config, ilrm=change(config.ilrm))


def _block(variant: str) -> Change:
    return _network(lambda net: replace(net, block=VARIANTS[variant]))


def _optimiser(kind: Literal["adamw", "muon", "lamb"], variant: str = BASELINE) -> Change:
    return lambda config: replace(_block(variant)(config), optim=replace(config.optim, kind=kind))


SHORT: dict[str, tuple[Change, tuple[float, ...]]] = {
    "adamw": (_optimiser("adamw"), RATES),
    "muon": (_optimiser("muon"), RATES_OF_MUON),
    "lamb": (_optimiser("lamb"), tuple(4 * rate for rate in RATES)),
    "unit_rows": (_network(lambda net: replace(net, block=replace(net.block, weight_condition=True))), RATES),
    "residual_mlp_head": (_network(lambda net: replace(net, head="residual_mlp")), RATES),
    "fourier_head": (_network(lambda net: replace(net, head="fourier")), RATES),
    **{name: (_block(name), RATES) for name in ("parallel", "repeat", "registers", "pruned_keys")},
    **{
        f"{name}_muon": (_optimiser("muon", name), RATES_OF_MUON)
        for name in ("dense_narrow", "inception", "per_view", "block_shuffle")
    },
}
"""Name -> what differs from the dense network with AdamW and a linear head, and the rates that are tried. Steps of Muon
and LAMB have lengths of their own, whatever the gradient; their rates are larger."""


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
