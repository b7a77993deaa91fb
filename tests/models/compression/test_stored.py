"""Weights of a small trained network are made smaller, used, and trained further."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.compression.stored import ExpertsTarget, FormTarget, LinearTarget, WidthTarget, shrink_weights
from models.diagnostics import ActivationSource
from models.forms import form_of
from models.hub import load_pretrained, save_pretrained
from models.ilrm.nano.module import NanoModule
from models.ilrm.nano.network import NanoILRM
from models.ilrm.network import ILRM
from models.ilrm.objective import LossConfig, OptimConfig
from models.layers.config import AttentionConfig, BlockConfig, FeedForwardConfig, LinearConfig
from models.layers.linears import Blast, LowRank
from models.reconstructors import load_reconstructor
from models.training import train
from recon.data.captures.open_source import open_captures
from recon.data.scene_batches import DataConfig, SceneBatches
from recon.errors import CheckpointError, ExportError, InputError
from tests.models.walls import SMALL, TINY, small_run

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")

LOW_RANK = LinearTarget("lowrank", 0.5)


@pytest.fixture(scope="module")
def trained(walls: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained")
    run = small_run(walls, out, max_steps=8, val_every=1000, log_every=1000, checkpoint_every=8)
    return train(replace(run, optim=replace(run.optim, ema_decay=0.0)))


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("untrained")
    return save(folder, NanoILRM, SMALL, "ilrm-nano")


def save(folder: Path, make, config, name: str) -> Path:
    torch.manual_seed(0)
    save_pretrained(folder, name, make(config), config)
    return folder


@torch.no_grad()
def loss_of(folder: Path, walls: Path) -> float:
    """Of the rooms that are trained on, always the same views."""
    module = NanoModule(load_pretrained(folder).network, OptimConfig(ema_decay=0.0), LossConfig(), 1, float32=True)
    batches = SceneBatches(
        open_captures(str(walls), split="train"), DataConfig(folder=str(walls), size=(64, 64)), augment=False
    )
    batch = batches[[0, 1, 2]]
    prediction = module.eval().predict(module.evaluated, batch)
    rendered = module.render(prediction, batch, module.backgrounds(batch))
    return float(torch.stack(list(module.loss_terms(prediction, rendered, batch).values())).sum())


@pytest.mark.parametrize("target", [LOW_RANK, WidthTarget(0.25), ExpertsTarget(4)], ids=["linear", "width", "experts"])
def test_smaller_weights_load_strictly_and_training_on_lowers_their_loss(target, trained, walls, tmp_path):
    done = shrink_weights(trained, tmp_path / "small", target)
    network = load_pretrained(done.folder).network
    assert network.config == done.config
    assert load_reconstructor(str(done.folder), torch.device("cpu")).weights_sha256 == done.sha256[1]
    assert sum(p.numel() for p in network.parameters()) == done.parameters[1]
    assert (done.parameters[1] < done.parameters[0]) != isinstance(target, ExpertsTarget)  # with routers beside them
    assert 0 < done.change.error < 1
    assert min(done.change.errors.values()) <= done.change.error <= max(done.change.errors.values())
    before = loss_of(done.folder, walls)
    run = small_run(walls, tmp_path / "run", max_steps=8, val_every=1000, init_from=str(done.folder))
    tuned = train(replace(run, nano=done.config, optim=replace(run.optim, ema_decay=0.0)))
    assert load_pretrained(tuned).network.config == done.config
    assert loss_of(tuned, walls) < before


def test_the_whole_width_is_the_same_to_the_byte(untrained, tmp_path):
    done = shrink_weights(untrained, tmp_path / "out", WidthTarget(1.0))
    assert done.sha256[0] == done.sha256[1]
    assert done.change.error == 0
    assert done.config == SMALL
    assert {p.name for p in done.folder.iterdir()} == {"config.json", "model.safetensors", "NOTICE.txt"}


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_numbers_are_kept_in_the_type_of_the_source(dtype, tmp_path):
    torch.manual_seed(0)
    save_pretrained(tmp_path / "in", "ilrm-nano", NanoILRM(SMALL), SMALL, dtype=dtype)
    done = shrink_weights(tmp_path / "in", tmp_path / "out", LOW_RANK)
    width = 2 if dtype == torch.float16 else 4
    assert done.file_bytes[1] == os.path.getsize(tmp_path / "out" / "model.safetensors")
    assert width <= done.file_bytes[1] / done.parameters[1] < 1.2 * width


def test_only_the_part_that_is_asked_for_changes(untrained, tmp_path):
    done = shrink_weights(untrained, tmp_path / "out", LinearTarget("blast", 0.4, blocks=2, parts=("feed_forward",)))
    kinds = (done.config.block.attention.linear.kind, done.config.block.feed_forward.linear.kind)
    assert kinds == ("dense", "blast")
    network = load_pretrained(done.folder).network
    assert len([part for part in network.modules() if isinstance(part, Blast)]) == len(done.change.errors) == 4


def test_captures_decide_what_is_kept(untrained, walls, tmp_path):
    data = ActivationSource(str(walls), "train", 1, (64, 64))
    plain = shrink_weights(untrained, tmp_path / "a", LOW_RANK)
    seen = shrink_weights(untrained, tmp_path / "b", LOW_RANK, data)
    assert "captures" in seen.change.relative_to
    assert seen.change.error < plain.change.error  # of outputs, which lie in few directions
    assert plain.sha256[1] != seen.sha256[1]
    cut = shrink_weights(untrained, tmp_path / "c", WidthTarget(0.5), data)
    assert "captures" in cut.change.relative_to


def test_networks_with_scaled_rows_compute_the_same_as_plain_ones(tmp_path):
    config = replace(SMALL, block=BlockConfig(weight_condition=True))
    source = save(tmp_path / "in", NanoILRM, config, "ilrm-nano")
    done = shrink_weights(source, tmp_path / "out", WidthTarget(1.0))
    assert done.config.block == BlockConfig()
    old, new = load_pretrained(source).network, load_pretrained(done.folder).network
    x, memory = torch.randn(1, 2, 9, 32), torch.randn(1, 2, 9, 32)
    torch.testing.assert_close(new.processor(x, memory), old.processor(x, memory), rtol=0, atol=2e-3)  # float16


def test_published_networks_and_what_is_said_of_their_terms_come_along(tmp_path):
    source = save(tmp_path / "in", ILRM, TINY, "ilrm")
    (source / "NOTICE.txt").write_text("Nobody may have them.\n")
    done = shrink_weights(source, tmp_path / "a", LinearTarget("block_shuffle"))
    assert load_pretrained(done.folder).name == done.network == "ilrm"
    said = (done.folder / "NOTICE.txt").read_text()
    assert "Nobody may have them." in said
    assert done.sha256[0] in said
    second = shrink_weights(shrink_weights(source, tmp_path / "b", WidthTarget(0.5)).folder, tmp_path / "c", LOW_RANK)
    assert "Nobody may have them." in (second.folder / "NOTICE.txt").read_text()
    assert any(isinstance(part, LowRank) for part in load_pretrained(second.folder).network.modules())


GUIDED = LinearConfig(kind="lowrank", self_guided=True)
BLOCKS = {
    "no plain matrices": BlockConfig(
        attention=AttentionConfig(linear=replace(GUIDED, self_guided=False)),
        feed_forward=FeedForwardConfig(linear=replace(GUIDED, self_guided=False)),
    ),
    "NestedGelu": BlockConfig(feed_forward=FeedForwardConfig(kind="nested")),
}


@pytest.mark.parametrize("said", BLOCKS)
def test_blocks_that_cannot_be_converted_are_refused_and_nothing_is_written(said, tmp_path):
    source = save(tmp_path / "in", NanoILRM, replace(SMALL, block=BLOCKS[said]), "ilrm-nano")
    with pytest.raises(InputError, match=said):
        shrink_weights(source, tmp_path / "out", LOW_RANK)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("target", [FormTarget(), LOW_RANK], ids=["form", "linear"])
def test_converted_weights_are_in_the_form_that_is_used(target, tmp_path):
    torch.manual_seed(0)
    network = NanoILRM(replace(SMALL, block=BlockConfig(feed_forward=FeedForwardConfig(linear=GUIDED))))
    network.processor.schedule(1.0)
    save_pretrained(tmp_path / "in", "ilrm-nano", network, network.config, dtype=torch.float32)
    done = shrink_weights(tmp_path / "in", tmp_path / "out", target)
    read = load_pretrained(done.folder).network
    assert form_of(read) == "use"
    assert not read.config.block.feed_forward.linear.self_guided
    assert not any("guide" in name for name in read.state_dict())
    assert done.file_bytes[1] < done.file_bytes[0]
    assert {name.split(".")[3] for name in done.change.errors} <= {"attn", "read_cross"}  # the others are structured
    if target == FormTarget():
        x, memory = torch.randn(1, 2, 9, 32), torch.randn(1, 2, 9, 32)
        torch.testing.assert_close(read.processor(x, memory), network.eval().processor(x, memory))


def test_guides_that_still_count_are_not_dropped(tmp_path):
    config = replace(SMALL, block=BlockConfig(feed_forward=FeedForwardConfig(linear=GUIDED)))
    source = save(tmp_path / "in", NanoILRM, config, "ilrm-nano")
    with pytest.raises(InputError, match="beside dense ones that still count"):
        shrink_weights(source, tmp_path / "out", FormTarget())


@pytest.mark.parametrize("kind", ["per_view", "pruned_keys", "pooled_keys", "inception", "multires_conv"])
def test_every_kind_of_attention_is_converted(kind, tmp_path):
    config = replace(SMALL, block=BlockConfig(attention=AttentionConfig(kind=kind)))
    source = save(tmp_path / "in", NanoILRM, config, "ilrm-nano")
    done = shrink_weights(source, tmp_path / "out", LinearTarget("lowrank", 0.5, parts=("attention",)))
    assert load_pretrained(done.folder).network.config.block.attention.kind == kind


@pytest.mark.parametrize("kind", ["full", "per_view", "pruned_keys", "pooled_keys"])
def test_ranks_of_values_come_along(kind, tmp_path):
    config = replace(SMALL, block=BlockConfig(attention=AttentionConfig(kind=kind)))
    source = save(tmp_path / "in", NanoILRM, config, "ilrm-nano")
    done = shrink_weights(source, tmp_path / "out", LinearTarget("lowrank", 0.5, value_rank=3.0))
    read = load_pretrained(done.folder).network
    assert read.config.block.attention.value_rank == 3
    cross = read.get_submodule("processor.blocks.0.read_cross")
    assert cross.v.input_core.shape[1] == 3 * cross.q.input_core.shape[1]


def test_kinds_of_attention_without_values_share_no_ranks(tmp_path):
    config = replace(SMALL, block=BlockConfig(attention=AttentionConfig(kind="inception")))
    source = save(tmp_path / "in", NanoILRM, config, "ilrm-nano")
    with pytest.raises(InputError, match="no network can be built"):
        shrink_weights(source, tmp_path / "out", LinearTarget("lowrank", 0.9, value_rank=3.0))
    assert not (tmp_path / "out").exists()


def test_other_weights_are_not_overwritten_and_missing_ones_are_told(untrained, walls, tmp_path):
    shrink_weights(untrained, tmp_path / "out", WidthTarget(0.5))
    with pytest.raises(ExportError, match="overwrite"):
        shrink_weights(untrained, tmp_path / "out", LOW_RANK)
    done = shrink_weights(untrained, tmp_path / "out", LOW_RANK, overwrite=True)
    assert load_pretrained(tmp_path / "out").sha256 == done.sha256[1]
    with pytest.raises(CheckpointError, match=r"no model\.safetensors"):
        shrink_weights(tmp_path / "none", tmp_path / "other", LOW_RANK)
    with pytest.raises(InputError, match="expected multiples of 16"):
        shrink_weights(untrained, tmp_path / "other", LOW_RANK, ActivationSource(str(walls), "train", 1, (60, 64)))
    assert not (tmp_path / "other").exists()
