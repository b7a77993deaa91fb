"""Checkpoints in the forms in which others publish them, made from recorded weights."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from models.ilrm.published import NOTICE, RELEASES, read_published
from models.published.importing import Imported, Publication, import_weights

FIXTURES = Path(__file__).parent / "fixtures"
STRANGERS = "program_of_strangers.settings"
SMALL_SIZES = {"dim": 128, "head_dim": 64, "num_layers": 2}
SMALL_RELEASES = (replace(RELEASES[0], **SMALL_SIZES), replace(RELEASES[1], **SMALL_SIZES))
"""Sizes of the recorded networks."""
SMALL_PUBLISHED = {"ilrm": Publication(partial(read_published, releases=SMALL_RELEASES), NOTICE)}


def recorded_weights(fixture: str) -> dict[str, Tensor]:
    """As the reference names them; more digits than float16 holds, so that rounding would show."""
    state = load_file(FIXTURES / fixture / "weights.safetensors")
    return {name: value.float() for name, value in state.items()}


def with_more_digits(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same weights, each a thousandth larger."""
    return {name: value * 1.001 for name, value in state.items()}


def lightning_checkpoint(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """What Lightning saves of a training run: weights of the encoder and of the loss, states of everything else."""
    weights = {f"encoder.{name}": value for name, value in state.items()}
    return {
        "epoch": 3,
        "global_step": 200_000,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": weights | {"losses.0.lpips.lin0.model.1.weight": torch.ones(1, 8, 1, 1)},
        "optimizer_states": [{"state": {0: {"step": torch.tensor(5.0), "exp_avg": torch.ones(4)}}}],
        "callbacks": {"ModelCheckpoint": {"dirpath": Path("somewhere"), "best_k_models": {}}},
    }


def save_with_strangers(content: dict[str, Any], path: Path) -> None:
    """Save, together with an object of a class that exists only while the file is written."""
    module = ModuleType(STRANGERS)
    stranger = type("Settings", (), {"__module__": STRANGERS})
    vars(module)["Settings"] = stranger
    parent = STRANGERS.split(".")[0]
    sys.modules |= {parent: ModuleType(parent), STRANGERS: module}
    settings = stranger()
    vars(settings).update(lr=2e-4, nested={"deep": [1, 2]})
    try:
        torch.save(content | {"hyper_parameters": settings}, path)
    finally:
        del sys.modules[STRANGERS], sys.modules[parent]


def save_main(path: Path) -> Path:
    """As `re10k_2view.ckpt`, with the recorded weights."""
    save_with_strangers(lightning_checkpoint(recorded_weights("ilrm_main")), path)
    return path


def save_wide(path: Path) -> Path:
    """As `ilrm_undistort_dl3dv.pt`, with the recorded weights."""
    torch.save({"model": recorded_weights("ilrm_wide")}, path)
    return path


def import_small(file: Path, out: Path, *, overwrite: bool = False) -> Imported:
    """Convert one of these files, which the command refuses for their sizes."""
    return import_weights("ilrm", file, out, overwrite=overwrite, published=SMALL_PUBLISHED)
