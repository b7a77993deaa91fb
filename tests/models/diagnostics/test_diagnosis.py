"""Figures of whole networks, and of what flows through them."""

import csv

import pytest
import torch
from torch import nn

from models.diagnostics import diagnose, write_diagnosis
from models.diagnostics.activations import recording, second_maps
from models.diagnostics.covariance import Covariance
from models.diagnostics.matrices import weight_matrices
from models.ilrm.nano.network import NanoILRM
from models.ilrm.processor import Processor
from models.layers.config import AttentionConfig, BlockConfig, FeedForwardConfig, LinearConfig
from models.layers.feedforwards.gelu import GeluFeedForward
from recon.errors import ExportError, InputError
from tests.models.walls import SMALL


@pytest.fixture
def network() -> NanoILRM:
    torch.manual_seed(0)
    return NanoILRM(SMALL).eval()


def test_every_matrix_of_a_network_is_found_once(network: NanoILRM) -> None:
    matrices = weight_matrices(network)
    stored = {name.removesuffix(".weight"): p for name, p in network.named_parameters() if p.ndim >= 2}
    assert matrices.keys() == stored.keys()
    assert all(matrix.numel() == stored[name].numel() for name, matrix in matrices.items())


def test_structured_maps_are_one_matrix_each() -> None:
    maps = LinearConfig("lowrank", rank=0.25)
    block = BlockConfig(
        attention=AttentionConfig(linear=maps, registers=2), feed_forward=FeedForwardConfig(linear=maps),
        weight_condition=True,
    )  # fmt: skip
    matrices = weight_matrices(Processor(32, 16, 1, block=block))
    assert matrices["blocks.1.attn.qkv"].shape == (96, 32)
    assert torch.linalg.matrix_rank(matrices["blocks.1.mlp.fc1"]) == 8
    assert [name for name in matrices if "blocks.1" in name] == [
        f"blocks.1.{name}"
        for name in ("attn.qkv", "attn.proj", "attn.registers.keys", "attn.registers.values", "mlp.fc1", "mlp.fc2")
    ]


def test_conditioned_weights_are_seen_as_they_act() -> None:
    matrices = weight_matrices(Processor(32, 16, 1, block=BlockConfig(weight_condition=True)))
    assert not any("parametrizations" in name for name in matrices)
    torch.testing.assert_close(matrices["blocks.1.attn.qkv"].norm(dim=1), torch.ones(96))


def test_covariance_of_batches_is_that_of_all_samples(generator) -> None:
    samples = torch.randn(50, 4, generator=generator) * torch.tensor([1.0, 2, 3, 4]) + 1000
    parts = Covariance(4)
    for part in samples.split(13):
        parts.add(part)
    whole = torch.linalg.eigvalsh(torch.cov(samples.double().T, correction=0))
    assert parts.count == 50
    torch.testing.assert_close(parts.eigenvalues(), whole, rtol=1e-7, atol=1e-7)


def test_recording_measures_hidden_units_and_changes_nothing(generator) -> None:
    torch.manual_seed(0)
    layer = GeluFeedForward(16)
    tokens = torch.randn(2, 30, 16, generator=generator)
    before = layer(tokens)
    with recording(layer) as found:
        assert torch.equal(layer(tokens), before)
        layer(tokens)
    hidden = layer.hidden(layer.norm(tokens)).detach().double().flatten(0, 1)
    assert found.hidden["fc2"].count == 120
    expected = torch.linalg.eigvalsh(torch.cov(hidden.T, correction=0)).clamp(min=0)
    torch.testing.assert_close(found.hidden["fc2"].eigenvalues(), expected, rtol=1e-6, atol=1e-9)
    assert found.rms("fc2") == pytest.approx(float(before.detach().square().mean().sqrt()))
    layer(2 * tokens)
    assert found.hidden["fc2"].count == 120


def test_maps_have_their_channels_as_hidden_units(network: NanoILRM) -> None:
    block = network.features.to_half[2]
    picture = torch.rand(3, 8, 5, 7)
    with recording(block) as found:
        block(picture)
    assert second_maps(block).keys() == {"conv2"}
    assert found.hidden["conv2"].count == 3 * 5 * 7
    assert len(found.hidden["conv2"].eigenvalues()) == 8


def test_nothing_recorded_is_an_error() -> None:
    with pytest.raises(InputError, match="no data flowed"), recording(nn.Linear(2, 2)):
        pass


def test_one_turned_layer_is_the_only_one(network: NanoILRM) -> None:
    torch.manual_seed(0)
    other = NanoILRM(SMALL)
    other.image_tokenizer[0].weight.data.neg_()
    found = diagnose(network, other)
    turned = {row.name: row.rotation for row in found.layers if row.rotation is not None}
    assert turned.pop("image_tokenizer.0") == pytest.approx(2)
    assert max(turned.values()) == pytest.approx(0, abs=1e-9)
    assert found.compared == found.related == len(turned) + 1


def test_another_seed_is_related_by_chance_only(network: NanoILRM) -> None:
    torch.manual_seed(1)
    found = diagnose(network, NanoILRM(SMALL))
    assert found.compared > 20
    assert found.related <= 1


def test_layers_of_another_shape_are_not_compared(network: NanoILRM) -> None:
    found = diagnose(network, nn.ModuleDict({"match_coarse": nn.Linear(3, 4)}))
    assert found.compared == 0


def test_blocks_stand_behind_their_parts(network: NanoILRM) -> None:
    memory = torch.randn(1, 2, 6, 32)
    with recording(network) as activations:
        tokens = network.processor(torch.randn(1, 2, 6, 32), memory, grid=(2, 3))
    layers = diagnose(network, None, activations).layers
    names = [row.name for row in layers]
    assert names[names.index("processor.blocks.1") - 1] == "processor.blocks.1.mlp.fc2"
    last = layers[names.index("processor.blocks.1")]
    assert last.rms == pytest.approx(float(tokens.detach().square().mean().sqrt()), rel=1e-5)
    assert last.rows is last.hard_rank is None
    assert layers[names.index("processor.blocks.1.mlp.fc2")].hidden_samples == 12


def test_files_hold_all_rows_and_are_not_replaced_unasked(network: NanoILRM, tmp_path) -> None:
    found = diagnose(network, network)
    files = write_diagnosis(tmp_path / "out", found, "a title")
    with files[0].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [row.name for row in found.layers]
    assert float(rows[0]["norm_bound"]) == found.layers[0].norm_bound
    assert {row["rms"] for row in rows} == {""}
    assert files[1].read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ExportError, match="already holds files"):
        write_diagnosis(tmp_path / "out", found, "a title")
