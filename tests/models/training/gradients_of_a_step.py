"""Writes the gradients of the first optimiser step of a run, started as `recon train` would start it.

python gradients_of_a_step.py OUT NETWORK PRECISION ROOMS DEVICES ACCUMULATE; PRECISION is float32 or float64.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).parents[3]))
from models.ilrm import module
from models.training import run
from tests.models.walls import small_run


class SaveGradients(pl.Callback):
    def __init__(self, path: Path):
        self.path = path

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        if trainer.is_global_zero:
            gradients = {name: p.grad for name, p in pl_module.named_parameters() if p.grad is not None}
            save_file(gradients, self.path)


def main(out: Path, network: Any, precision: str, rooms: Path, devices: int, accumulate: int) -> None:
    make = run._trainer

    def make_saving(*args: Any) -> pl.Trainer:
        trainer = make(*args)
        trainer.callbacks.append(SaveGradients(out / "gradients.safetensors"))
        return trainer

    run._trainer = make_saving
    if precision == "float64":
        slow = module.get_rasterizer
        module.get_rasterizer = lambda name, device: slow("torch", device)
        trainer_of = pl.Trainer
        pl.Trainer = lambda **options: trainer_of(**options, precision="64-true")
    config = small_run(
        rooms,
        out / "run",
        network,
        max_steps=1,
        devices=devices,
        accelerator="cpu",
        accumulate=accumulate,
        precision="float32",
    )
    run.train(replace(config, data=replace(config.data, batch_size=4)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:4], Path(sys.argv[4]), *map(int, sys.argv[5:]))
