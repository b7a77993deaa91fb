"""A trained small iLRM, whose blocks do all the work, for what begins with trained weights."""

import hashlib
import shutil
from pathlib import Path

from app.benchmarks.blocks.study import Run, Study, data_fingerprint, train_config
from app.benchmarks.blocks.variants import BASELINE
from models.training import TrainConfig, train
from recon.io.part_entries import part_folder

RATE, SEED = 1e-3, 0


def base_config(data: Path, study: Study, out: Path) -> TrainConfig:
    """A whole run of the dense network of the quality study."""
    return train_config(study, Run(BASELINE, RATE, SEED, study.steps), data, out)


def base_weights(data: Path, study: Study, folder: Path) -> Path:
    """Folder of its weights, trained now unless they are there.

    iLRM-nano is of no use here: its plane sweep does the work, and three quarters of the numbers in the matrices of its
    blocks can be zero without a loss.
    """
    made_of = hashlib.blake2b(f"{study} {data_fingerprint(data)}".encode(), digest_size=8).hexdigest()
    weights = folder / f"base_{made_of}"
    if not weights.exists():
        with part_folder(folder, "base_run") as part:
            shutil.move(train(base_config(data, study, part.path)), weights)
    return weights
