from dataclasses import replace

import pytest
import torch
import yaml

from app.benchmarks.full_size import VARIANTS, measure
from models.ilrm.config import ILRMConfig
from models.ilrm.network import ILRM
from recon.configs import find_config
from tests.models.walls import TINY

DIM, HEAD, BLOCKS, PATCH = 768, 64, 24, 8 * 8
BLOCK = 4 * DIM**2 + 2 * 4 * DIM**2 + 2 * DIM + 2 * HEAD
"""Of an attention, a feed-forward layer four times as wide, a norm before each, and norms of queries and keys."""


def counted(rays: int, gaussian: int, uplift: int) -> int:
    """Parameters by the sizes of the paper: no layer has a bias.

    Args:
        rays: Channels of a viewpoint pixel; an image pixel has three colours more.
        gaussian: Numbers of a Gaussian.
        uplift: Parameters of the map of each of the 12 read blocks that makes two sub-queries of a token.
    """
    tokenizers = (rays * PATCH + 1) * DIM + ((rays + 3) * PATCH + 1) * DIM
    head = (gaussian * PATCH + 1) * DIM
    return BLOCKS * BLOCK + tokenizers + head + 12 * uplift


def test_every_weight_of_a_step_gets_a_gradient() -> None:
    parameters = sum(p.numel() for p in ILRM(TINY).parameters())
    figures = measure(TINY, 3, parameters / 1e6 / 1.25)
    assert figures["weights_without_finite_gradient"] == 0
    assert figures["above_the_printed_percent"] == 25
    assert figures["loss"] > 0


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("re10k_2view", counted(6, 14, 0)), ("re10k_4view_half", counted(9, 16, DIM * 2 * DIM))],
)
def test_a_preset_has_as_many_parameters_as_are_counted_by_hand(name: str, parameters: int) -> None:
    """171,336,960 and 185,885,952; cut off, not rounded, to millions they are the 171 M and 185 M that the paper
    prints.
    """
    preset = ILRMConfig(**yaml.safe_load(find_config(f"experiment/{name}").read_text())["ilrm"])
    with torch.device("meta"):
        network = ILRM(preset)
    assert sum(p.numel() for p in network.parameters()) == parameters
    config, _, printed_millions = VARIANTS[name]
    assert replace(preset, checkpointing=False) == config
    assert parameters // 10**6 == printed_millions
