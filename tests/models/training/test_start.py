"""What a run exports is small, and another run goes on from it, or says from what it can."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor

from models.forms import form_of
from models.hub import load_pretrained
from models.ilrm.module import ILRMModule
from models.ilrm.nano.network import NanoILRM
from models.layers.config import BlockConfig, FeedForwardConfig, LinearConfig
from models.training import TrainConfig, train
from recon.errors import CheckpointError
from tests.models.walls import small_run

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")

GUIDED = BlockConfig(feed_forward=FeedForwardConfig(linear=LinearConfig(kind="lowrank", self_guided=True)))
SCALED = BlockConfig(weight_condition=True)
TREE = BlockConfig(feed_forward=FeedForwardConfig(kind="fast", depth=1))


def run_with(block: BlockConfig, walls: Path, out: Path, **trainer: Any) -> TrainConfig:
    config = small_run(walls, out, val_every=1000, log_every=1000, **trainer)
    return replace(config, ilrm=replace(config.ilrm, block=block), nano=replace(config.nano, block=block))


class Watch(pl.Callback):
    """Keeps the weights before the first step, and the averaged ones after the last."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, ILRMModule)
        self.before = {name: value.clone() for name, value in pl_module.network.state_dict().items()}

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, ILRMModule)
        self.after: dict[str, Tensor] = pl_module.evaluated.state_dict()


@pytest.mark.parametrize("block", [GUIDED, SCALED], ids=["guided", "scaled"])
def test_a_run_goes_on_from_what_it_exported_with_the_sizes_that_are_told(
    block: BlockConfig, walls: Path, tmp_path: Path
) -> None:
    weights = train(run_with(block, walls, tmp_path / "first", max_steps=2))
    network = cast(NanoILRM, load_pretrained(weights).network)
    assert form_of(network) == "use"
    told = network.config.block
    assert not told.feed_forward.linear.self_guided
    assert not told.weight_condition
    watch = Watch()
    train(run_with(told, walls, tmp_path / "second", max_steps=1, init_from=str(weights)), [watch])
    assert all(torch.equal(watch.before[name], value) for name, value in network.state_dict().items())
    with pytest.raises(CheckpointError, match="of other sizes") as caught:
        train(run_with(block, walls, tmp_path / "third", max_steps=1, init_from=str(weights)))
    assert "config.json" in caught.value.hint


def test_exports_keep_guides_as_long_as_they_count(walls: Path, tmp_path: Path) -> None:
    weights = train(run_with(GUIDED, walls, tmp_path, max_steps=1))
    network = cast(NanoILRM, load_pretrained(weights).network)
    assert form_of(network) == "training"
    assert network.config.block == GUIDED


def test_trees_are_trained_on_from_a_checkpoint(walls: Path, tmp_path: Path) -> None:
    watch = Watch()
    weights = train(run_with(TREE, walls, tmp_path / "first", max_steps=2), [watch])
    assert "processor.blocks.0.read_ff.master_up" not in load_pretrained(weights).network.state_dict()
    with pytest.raises(CheckpointError, match="fast layers in the form that is used") as caught:
        train(run_with(TREE, walls, tmp_path / "second", init_from=str(weights)))
    assert "checkpoints/step_" in caught.value.hint
    (checkpoint,) = (tmp_path / "first" / "checkpoints").glob("*.ckpt")
    last = watch.after
    train(run_with(TREE, walls, tmp_path / "third", max_steps=1, init_from=str(checkpoint)), [watch])
    assert all(torch.equal(watch.before[name], value) for name, value in last.items())


def test_checkpoints_of_other_networks_and_other_files_are_refused(walls: Path, tmp_path: Path) -> None:
    train(run_with(BlockConfig(), walls, tmp_path / "first", max_steps=1, checkpoint_every=1))
    (checkpoint,) = (tmp_path / "first" / "checkpoints").glob("*.ckpt")
    config = run_with(BlockConfig(), walls, tmp_path / "second", init_from=str(checkpoint))
    with pytest.raises(CheckpointError, match="is of ilrm-nano, expected ilrm"):
        train(replace(config, network="ilrm"))
    damaged = tmp_path / "damaged.ckpt"
    damaged.write_bytes(checkpoint.read_bytes()[:1000])
    for path in (damaged, tmp_path / "none.ckpt"):
        with pytest.raises(CheckpointError, match="not a checkpoint of a run"):
            train(run_with(BlockConfig(), walls, tmp_path / "second", init_from=str(path)))
