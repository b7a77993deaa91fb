"""Feed-forward layers that keep a projection of their inputs: in training only."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from models.adapters import AdapterConfig
from models.hub import load_pretrained
from models.ilrm.module import ILRMModule
from models.layers.config import AttentionConfig, BlockConfig, FeedForwardConfig, LinearConfig
from models.layers.randomised_backward import RandomisedLinear
from models.training import train
from models.training.config import require_usable
from recon.errors import InputError
from tests.models.walls import small_run

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


class Watch(pl.Callback):
    """Notes kinds of layers and gradients; ends the run at a step, if told so."""

    def __init__(self, stop: int | None = None):
        self.stop, self.gradients = stop, []

    def on_train_batch_start(self, trainer: pl.Trainer, *_: object) -> None:
        if trainer.global_step == self.stop:
            raise KeyError("stands for a crash")

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        assert isinstance(pl_module, ILRMModule)
        weights = pl_module.network.get_submodule("processor.blocks.0.read_ff.fc1").weight
        self.gradients.append(weights.grad.clone())  # pyright: ignore[reportCallIssue, reportOptionalMemberAccess]
        self.trained, self.average = (
            [name for name, part in network.named_modules() if isinstance(part, RandomisedLinear)]
            for network in (pl_module.network, pl_module.evaluated)
        )


def run_of(walls: Path, out: Path, **trainer: Any) -> Any:
    return small_run(walls, out, val_every=1000, log_every=1000, **trainer)


def test_the_network_that_is_trained_has_it_and_what_is_exported_has_not(walls: Path, tmp_path: Path) -> None:
    plain, some = Watch(), Watch()
    train(run_of(walls, tmp_path / "plain", max_steps=1), [plain])
    weights = train(run_of(walls, tmp_path / "some", max_steps=1, randomised_backward=0.5), [some])
    assert len(some.trained) == 4
    assert all(".read_ff.fc" in name or ".mlp.fc" in name for name in some.trained)
    assert some.average == plain.trained == []
    assert not torch.equal(some.gradients[0], plain.gradients[0])
    cosine = torch.cosine_similarity(some.gradients[0].flatten(), plain.gradients[0].flatten(), dim=0)
    assert cosine > 0.3
    loaded = load_pretrained(weights).network
    assert not any(isinstance(part, RandomisedLinear) for part in loaded.modules())


def test_without_an_average_exports_are_plain_too(walls: Path, tmp_path: Path) -> None:
    config = run_of(walls, tmp_path, max_steps=1, randomised_backward=0.5)
    weights = train(replace(config, optim=replace(config.optim, ema_decay=0.0)))
    names = load_pretrained(weights).network.state_dict().keys()
    assert names == load_pretrained(train(run_of(walls, tmp_path / "b", max_steps=1))).network.state_dict().keys()


def test_a_resumed_run_draws_what_it_would_have_drawn(walls: Path, tmp_path: Path) -> None:
    whole = train(run_of(walls, tmp_path / "whole", randomised_backward=0.5))
    with pytest.raises(KeyError, match="crash"):
        train(run_of(walls, tmp_path / "part", randomised_backward=0.5), [Watch(stop=3)])
    resumed = train(run_of(walls, tmp_path / "part", randomised_backward=0.5, resume=True))
    assert (whole / "model.safetensors").read_bytes() == (resumed / "model.safetensors").read_bytes()


LOW = LinearConfig(kind="lowrank")


@pytest.mark.parametrize(
    ("share", "block", "said"),
    [
        (0.0, BlockConfig(), "is 0.0, expected above 0 and below 1"),
        (1.0, BlockConfig(), "is 1.0, expected"),
        (float("nan"), BlockConfig(), "is nan, expected"),
        (0.2, BlockConfig(feed_forward=FeedForwardConfig("nested")), "feed_forward.kind gelu, swiglu, fourier"),
        (0.2, BlockConfig(feed_forward=FeedForwardConfig(linear=LOW)), "for plain matrices"),
        (0.2, BlockConfig(weight_condition=True), "without weight_condition"),
    ],
)
def test_what_cannot_be_trained_so_is_refused(share: float, block: BlockConfig, said: str, tmp_path: Path) -> None:
    config = run_of(tmp_path, tmp_path / "out", randomised_backward=share)
    with pytest.raises(InputError, match=f"trainer.randomised_backward .*{said}"):
        require_usable(replace(config, nano=replace(config.nano, block=block)))


def test_other_attention_is_no_hindrance_and_an_adapter_is(tmp_path: Path) -> None:
    config = run_of(tmp_path, tmp_path / "out", randomised_backward=0.2)
    block = BlockConfig(AttentionConfig(linear=LOW), FeedForwardConfig("swiglu"))
    require_usable(replace(config, nano=replace(config.nano, block=block)))
    with pytest.raises(InputError, match="with an adapter"):
        require_usable(
            run_of(
                tmp_path,
                tmp_path / "out",
                randomised_backward=0.2,
                init_from="ilrm-nano",
                adapter=AdapterConfig("svft"),
            )
        )
