"""Adapters: a trained small iLRM, taken to larger pictures than it has seen."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.benchmarks.blocks.judging import held_out, score
from app.benchmarks.blocks.others.base import base_config, base_weights
from app.benchmarks.blocks.study import Study
from models.adapters import AdapterConfig
from models.hub import load_pretrained
from models.ilrm.objective import OptimConfig
from models.training import TrainConfig, train
from models.training.curves import HeldOutCurve
from models.training.networks import make_module
from recon.errors import TrainingError


@dataclass(frozen=True)
class Adaptation:
    """One domain, and how long is trained in it.

    Attributes:
        enlarged: Side of the pictures over that of the training before; a patch sees less of a room then.
        steps: Optimiser steps.
        warmup_steps: Of them.
        rates: Of adapters, all of which are tried.
        rates_of_all: Of training all weights, for comparison.
    """

    enlarged: float = 1.5
    steps: int = 200
    warmup_steps: int = 20
    rates: tuple[float, ...] = (2e-3, 1e-2, 5e-2)
    rates_of_all: tuple[float, ...] = (2e-4, 1e-3, 5e-3)


ADAPTERS: dict[str, AdapterConfig] = {
    "all_weights": AdapterConfig("none"),
    "lora": AdapterConfig("lora"),
    "asymmetric_lora": AdapterConfig("asymmetric_lora"),
    "c3a": AdapterConfig("c3a"),
    "fourierft": AdapterConfig("fourierft"),
    "svft": AdapterConfig("svft"),
}


def measure(name: str, data: Path, study: Study, folder: Path, adaptation: Adaptation) -> dict[str, Any]:
    """Held-out PSNR before and after.

    Args:
        name: In `ADAPTERS`.
        data: Folder of rooms.
        study: Of the network.
        folder: Where its trained weights are kept.
        adaptation: The domain.

    Returns:
        "before_db"; "psnr_db": rate -> dB after training, None for a run that failed; "trained": numbers.
    """
    weights = str(base_weights(data, study, folder))
    config = _config(data, study, adaptation)
    module = make_module(config)
    module.start_from(load_pretrained(weights).network.state_dict())
    before = score(module.eval(), held_out(config))
    scores: dict[str, float | None] = {}
    for rate in adaptation.rates_of_all if name == "all_weights" else adaptation.rates:
        curve = HeldOutCurve()
        with tempfile.TemporaryDirectory() as scratch:
            run = replace(
                config,
                optim=replace(config.optim, lr=rate),
                trainer=replace(config.trainer, out=scratch, init_from=weights, adapter=ADAPTERS[name]),
            )
            try:
                train(run, [curve])
            except TrainingError:
                scores[f"{rate:g}"] = None
                continue
        scores[f"{rate:g}"] = curve.points[-1].figures["psnr"]
    if name != "all_weights":
        module.adapt(ADAPTERS[name])
    trained = sum(p.numel() for p in module.network.parameters() if p.requires_grad)
    return {"before_db": before, "psnr_db": scores, "trained": trained}


def _config(data: Path, study: Study, adaptation: Adaptation) -> TrainConfig:
    config, steps = base_config(data, study, Path()), adaptation.steps
    side = round(adaptation.enlarged * study.size)
    return replace(
        config,
        data=replace(config.data, size=(side, side), seed=1),
        optim=OptimConfig(schedule="cosine", warmup_steps=adaptation.warmup_steps, ema_decay=0.0),
        trainer=replace(config.trainer, max_steps=steps, log_every=steps, val_every=steps, checkpoint_every=steps),
    )
