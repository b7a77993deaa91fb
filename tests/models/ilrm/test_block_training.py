"""Update layers of other kinds are trained through the same module: their schedule, their loss terms, their rates."""

from dataclasses import replace

import pytest
import torch

from models.forms import block_of_use
from models.hub import load_pretrained
from models.ilrm.module import ILRMModule
from models.ilrm.objective import OptimConfig, make_optimizer
from models.layers.config import BlockConfig, FeedForwardConfig, LinearConfig
from models.layers.contracts import StructuredLinear
from models.training import train
from models.training.networks import make_module
from tests.models.ilrm.test_nano_training import read_log
from tests.models.walls import small_run

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")

LOW_RANK = LinearConfig(kind="lowrank", rank=0.5)
BLOCKS = {
    "structured": BlockConfig(feed_forward=FeedForwardConfig(linear=LOW_RANK)),
    "self-guided": BlockConfig(feed_forward=FeedForwardConfig(linear=replace(LOW_RANK, self_guided=True))),
    "nested": BlockConfig(feed_forward=FeedForwardConfig(kind="nested")),
    "tree": BlockConfig(feed_forward=FeedForwardConfig(kind="fast", depth=1)),
    "grouped": BlockConfig(feed_forward=FeedForwardConfig(kind="grouped", experts=2)),
}


def run_with(block: BlockConfig, walls, out, **trainer):
    config = small_run(walls, out, **trainer)
    return replace(config, nano=replace(config.nano, block=block))


@pytest.mark.parametrize("kind", BLOCKS)
def test_a_network_of_any_block_is_trained_exported_and_read_again(walls, tmp_path, kind):
    folder = train(run_with(BLOCKS[kind], walls, tmp_path))
    assert load_pretrained(folder).network.config.block == block_of_use(BLOCKS[kind])


def test_the_balance_of_a_tree_is_part_of_the_loss(walls, tmp_path):
    train(run_with(BLOCKS["tree"], walls, tmp_path))
    logged = {
        name for name in (tmp_path.glob("csv/version_*/metrics.csv").__next__()).read_text().split("\n")[0].split(",")
    }
    named = [name for name in logged if name.startswith("loss/block_")]
    assert named
    assert all(torch.isfinite(torch.tensor(read_log(tmp_path, name))).all() for name in named)


def test_guides_have_faded_when_half_of_the_run_is_over(walls, tmp_path, monkeypatch):
    seen = []
    original = ILRMModule.prepare_blocks

    def spy(self, step):
        original(self, step)
        seen.append(float(self.network.processor.blocks[0].feed_forward.fc1.alpha))

    monkeypatch.setattr(ILRMModule, "prepare_blocks", spy)
    train(run_with(BLOCKS["self-guided"], walls, tmp_path))
    assert seen == pytest.approx([1, 0.5, 0, 0], abs=1e-6)


def test_nested_layers_are_trained_at_several_widths_and_judged_whole(walls, tmp_path, monkeypatch):
    widths, judged = [], []
    step, judge = ILRMModule.training_step, ILRMModule.validation_step

    def spy_step(self, batch, batch_idx):
        loss = step(self, batch, batch_idx)
        widths.append(self.network.processor.width)
        return loss

    def spy_judge(self, batch, batch_idx):
        judge(self, batch, batch_idx)
        judged.append(self.evaluated.processor.width)

    monkeypatch.setattr(ILRMModule, "training_step", spy_step)
    monkeypatch.setattr(ILRMModule, "validation_step", spy_judge)
    config = run_with(BLOCKS["nested"], walls, tmp_path, max_steps=8)
    train(replace(config, optim=replace(config.optim, ema_decay=0.0)))
    assert len(set(widths)) > 1
    assert set(judged) == {1.0}


def test_factors_of_structured_matrices_have_rates_of_their_own(walls, tmp_path):
    network = make_module(run_with(BLOCKS["structured"], walls, tmp_path)).network
    for kind in ("adamw", "muon"):
        optimizer = make_optimizer(network, OptimConfig(kind=kind, lr=1e-3), 10)["optimizer"]
        rates = {id(p): group["initial_lr"] for group in optimizer.param_groups for p in group["params"]}
        assert len(rates) == len(list(network.parameters()))
        factors = [
            f for part in network.modules() if isinstance(part, StructuredLinear) for f in part.param_groups(1e-3)
        ]
        assert factors
        for group in factors:
            assert [rates[id(p)] for p in group["params"]] == pytest.approx([group["lr"]] * len(group["params"]))
