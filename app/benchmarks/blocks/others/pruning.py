"""Zeros in the matrices of a trained small iLRM, chosen by size or by what they do to the spectrum."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from app.benchmarks.blocks.judging import held_out, score
from app.benchmarks.blocks.others.base import base_config, base_weights
from app.benchmarks.blocks.study import Study
from models.compression.spectrum import keep_magnitude, keep_spectrum
from models.hub import load_pretrained
from models.training.networks import make_module

SHARES = (0.5, 0.25)
WAYS: dict[str, Callable[[Tensor, float], Tensor]] = {"magnitude": keep_magnitude, "spectrum": keep_spectrum}


def measure(data: Path, study: Study, folder: Path) -> dict[str, Any]:
    """What is lost when a share of the entries of the matrices in all blocks stays.

    Args:
        data: Folder of rooms.
        study: Of the network.
        folder: Where its trained weights are kept.

    Returns:
        "before_db", and "WAY_SHARE" -> "psnr_db" of held-out targets, "moved": mean over matrices of the distance of
        their singular values before and after, over the length of those before.
    """
    pretrained = load_pretrained(base_weights(data, study, folder))
    config = base_config(data, study, Path())
    module, batches = make_module(config).eval(), held_out(config)
    state = pretrained.network.state_dict()
    module.start_from(state)
    figures: dict[str, Any] = {"before_db": score(module, batches)}
    for share in SHARES:
        for name, way in WAYS.items():
            module.start_from(state)
            moved = _prune(module.network.get_submodule("processor"), way, share)
            figures[f"{name}_{share:g}"] = {"psnr_db": score(module, batches), "moved": moved}
    return figures


@torch.no_grad()
def _prune(blocks: nn.Module, way: Callable[[Tensor, float], Tensor], share: float) -> float:
    moved = []
    for layer in blocks.modules():
        if isinstance(layer, nn.Linear):
            pruned = way(layer.weight, share)
            before, after = (torch.linalg.svdvals(matrix) for matrix in (layer.weight, pruned))
            moved.append(float((before - after).norm() / before.norm()))
            layer.weight.copy_(pruned)
    return sum(moved) / len(moved)
