"""iLRM with richer heads."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.hub import load_pretrained, save_pretrained
from models.ilrm.config import ILRMConfig
from models.ilrm.network import ILRM

LINEAR = ILRMConfig(dim=32, head_dim=16, num_layers=1, patch=4)
KINDS = ["residual_mlp", "fourier"]


@pytest.mark.parametrize("kind", KINDS)
def test_it_begins_as_the_linear_one(kind: str, generator: torch.Generator) -> None:
    network, linear = ILRM(replace(LINEAR, head=kind)), ILRM(LINEAR)  # pyright: ignore[reportArgumentType]
    weight = network.state_dict()["token_decoder.1.skip.weight"]
    linear.token_decoder.load_state_dict({"0.weight": torch.ones(32), "1.weight": weight})
    tokens = torch.randn(3, 32, generator=generator)
    torch.testing.assert_close(network.token_decoder(tokens), linear.token_decoder(tokens))
    assert weight.std() == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_weights_says_which_head(kind: str, tmp_path: Path) -> None:
    config = replace(LINEAR, head=kind)  # pyright: ignore[reportArgumentType]
    save_pretrained(tmp_path, "ilrm", ILRM(config), config)
    assert load_pretrained(tmp_path).network.config == config
