"""What is exported computes the same as what was trained, without what only training needs."""

import json
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.forms import finalise, for_use, form_of
from models.hub import load_pretrained, save_pretrained
from models.ilrm.network import ILRM
from models.layers.config import AttentionConfig, BlockConfig, FeedForwardConfig, LinearConfig
from models.layers.linears import SelfGuided
from recon.errors import CheckpointError
from tests.models.walls import TINY

GUIDED = LinearConfig(kind="lowrank", self_guided=True)
BLOCKS = {
    "plain": BlockConfig(),
    "guided": BlockConfig(AttentionConfig(linear=GUIDED), FeedForwardConfig(linear=GUIDED)),
    "guided inception": BlockConfig(AttentionConfig(kind="inception", linear=GUIDED)),
    "conditioned": BlockConfig(weight_condition=True),
    "tree": BlockConfig(feed_forward=FeedForwardConfig(kind="fast")),
    "bits": BlockConfig(feed_forward=FeedForwardConfig(kind="masked_glu")),
    "nested": BlockConfig(feed_forward=FeedForwardConfig(kind="nested")),
}
every_block = pytest.mark.parametrize("name", BLOCKS)


def trained(block: BlockConfig, progress: float = 1.0) -> ILRM:
    """A network as it is after that share of a run."""
    torch.manual_seed(0)
    network = ILRM(replace(TINY, block=block))
    network.processor.schedule(progress)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return network.eval()


@torch.no_grad()
def outputs(network: torch.nn.Module) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    tokens, memory = (torch.randn(1, 2, n, 32, generator=generator) for n in (4, 16))
    return cast(ILRM, network).processor(tokens, memory, grid=(2, 2))


def written(folder: Path, network: torch.nn.Module) -> torch.nn.Module:
    told = cast(ILRM, network)
    save_pretrained(folder, "ilrm", told, told.config, dtype=torch.float32)
    return load_pretrained(folder).network


@every_block
def test_a_network_for_use_is_read_strictly_and_computes_the_same(name: str, tmp_path: Path) -> None:
    network = trained(BLOCKS[name])
    read = written(tmp_path, for_use(network))
    assert form_of(read) == "use"
    torch.testing.assert_close(outputs(read), outputs(network), rtol=1e-5, atol=1e-5)
    assert not any(word in key for key in read.state_dict() for word in ("guide", "alpha", "original", "logits"))
    assert not read.training
    again = written(tmp_path / "again", for_use(read))
    assert torch.equal(outputs(again), outputs(read))


@pytest.mark.parametrize("name", ["guided", "guided inception"])
def test_without_guides_a_network_is_the_plain_structured_one(name: str) -> None:
    used = cast(ILRM, for_use(trained(BLOCKS[name])))
    plain = ILRM(used.config)
    assert not any(isinstance(part, SelfGuided) for part in plain.modules())
    plain.load_state_dict(used.state_dict(), strict=True)
    assert torch.equal(outputs(plain.eval()), outputs(used))


@every_block
def test_the_network_that_is_trained_stays_as_it_is(name: str) -> None:
    network = trained(BLOCKS[name])
    before = {key: value.clone() for key, value in network.state_dict().items()}
    chance = torch.get_rng_state()
    for_use(network)
    assert torch.equal(torch.get_rng_state(), chance)
    assert network.config.block == BLOCKS[name]
    after = network.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[key], value) for key, value in before.items())


def test_guides_that_still_count_are_kept(tmp_path: Path) -> None:
    network = trained(BLOCKS["guided"], progress=0.25)
    read = written(tmp_path, for_use(network))
    assert form_of(read) == "training"
    torch.testing.assert_close(outputs(read), outputs(network), rtol=1e-5, atol=1e-5)


def test_guides_that_have_faded_cost_nothing_in_what_is_read(tmp_path: Path) -> None:
    """Files of the form that is trained, as exports once had it."""
    read = written(tmp_path, trained(BLOCKS["guided"]))
    guided = [part for part in read.modules() if isinstance(part, SelfGuided)]
    assert form_of(read) == "training"
    assert len(guided) == 10
    assert all(part.macs() == part.structured.macs() for part in guided)


def test_masks_are_stored_as_bits(tmp_path: Path) -> None:
    network = trained(BLOCKS["bits"])
    config = network.config
    save_pretrained(tmp_path, "ilrm", for_use(network), config)
    stored = load_file(tmp_path / "model.safetensors")
    bits = {key: value for key, value in stored.items() if key.endswith("mask_bits")}
    assert len(bits) == 2
    assert all(value.dtype == torch.uint8 for value in bits.values())
    assert all(value.dtype == torch.float16 for key, value in stored.items() if key not in bits)
    logits = next(value for key, value in network.state_dict().items() if key.endswith("mask_logits"))
    assert len(next(iter(bits.values()))) * 8 == logits.numel()
    save_file(stored | {key: value.half() for key, value in bits.items()}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"mask_bits has shape \[\d+\], expected \[\d+\] of U8"):
        load_pretrained(tmp_path)


@pytest.mark.parametrize("name", ["guided", "conditioned"])
def test_a_form_that_does_not_go_with_the_config_is_refused(name: str, tmp_path: Path) -> None:
    written(tmp_path, trained(BLOCKS[name]))
    file = tmp_path / "config.json"
    content = json.loads(file.read_text())
    assert content["form"] == "training"
    file.write_text(json.dumps(content | {"form": "use"}))
    with pytest.raises(CheckpointError, match="form is use, in which there are no self_guided"):
        load_pretrained(tmp_path)
    for unknown in ("used", 1, None, ["use"]):
        file.write_text(json.dumps(content | {"form": unknown}))
        with pytest.raises(CheckpointError, match="expected one of training, use"):
            load_pretrained(tmp_path)


def test_weights_that_ship_name_no_form_and_are_of_the_one_that_is_trained() -> None:
    network = load_pretrained("ilrm-nano").network
    assert form_of(network) == "training"
    names = set(network.state_dict())
    finalise(network)
    assert set(network.state_dict()) == names
