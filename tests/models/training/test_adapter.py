"""Training few numbers beside weights that stay: what is exported is plain."""

import copy
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from models.adapters import AdapterConfig, adapter_parameters
from models.adapters.adapter import TRAINED
from models.hub import load_pretrained, save_pretrained
from models.ilrm.module import ILRMModule
from models.ilrm.nano.network import NanoILRM
from models.training import TrainConfig, train
from models.training.dry_run import dry_run
from recon.errors import CheckpointError, InputError, ResourceError
from tests.models.walls import SMALL, small_run

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")

KINDS = [
    AdapterConfig("lora", rank=2),
    AdapterConfig("asymmetric_lora", rank=2),
    AdapterConfig("c3a", block=8),
    AdapterConfig("fourierft", frequencies=20),
    AdapterConfig("svft"),
]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a network that has learnt nothing yet."""
    folder = tmp_path_factory.mktemp("start")
    torch.manual_seed(7)
    save_pretrained(folder, "ilrm-nano", NanoILRM(SMALL), SMALL)
    return folder


def run_of(walls: Path, out: Path, start: Path, adapter: AdapterConfig, **trainer: Any) -> TrainConfig:
    config = small_run(walls, out, init_from=str(start), adapter=adapter, **trainer)
    return replace(config, optim=replace(config.optim, weight_decay=0.1))


class Watch(pl.Callback):
    """Keeps the module, and its numbers before the first step."""

    module: ILRMModule
    before: dict[str, torch.Tensor]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, ILRMModule)
        self.module, self.before = pl_module, copy.deepcopy(pl_module.network.state_dict())


class StoppedError(Exception):
    """Stands for a crash."""


class StopAtThree(pl.Callback):
    def on_train_batch_start(self, trainer: pl.Trainer, *_: object) -> None:
        if trainer.global_step == 3:
            raise StoppedError


@pytest.mark.parametrize("adapter", KINDS, ids=lambda a: a.kind)
def test_only_the_adapter_changes_and_what_is_exported_is_plain(
    adapter: AdapterConfig, walls: Path, start: Path, tmp_path: Path
) -> None:
    watch = Watch()
    weights = train(run_of(walls, tmp_path, start, adapter, max_steps=2), [watch])
    after = watch.module.network.state_dict()
    changed = {name for name, value in after.items() if not torch.equal(value, watch.before[name])}
    parameters = {id(p): name for name, p in watch.module.network.named_parameters()}
    assert changed == {parameters[id(p)] for p in adapter_parameters(watch.module.network, adapter).values()}

    old, new = load_pretrained(start).network.state_dict(), load_pretrained(weights).network.state_dict()
    moved = {name for name, value in new.items() if not torch.equal(value, old[name])}
    inner = TRAINED[adapter.kind].values()
    adapted = {name.removesuffix(f".{part}") for name in changed for part in inner if name.endswith(f".{part}")}
    assert moved == {f"{name}.weight" for name in adapted}


@pytest.mark.parametrize("adapter", KINDS, ids=lambda a: a.kind)
def test_merged_weights_say_what_the_adapter_says(
    adapter: AdapterConfig, walls: Path, start: Path, tmp_path: Path
) -> None:
    watch = Watch()
    train(run_of(walls, tmp_path, start, adapter, max_steps=2), [watch])
    tokens, memory = torch.randn(1, 2, 16, 32), torch.randn(1, 2, 64, 32)
    networks: list[Any] = [watch.module.evaluated, watch.module.plain()]
    adapted, plain = (copy.deepcopy(network.processor) for network in networks)
    assert adapted.state_dict().keys() != plain.state_dict().keys()
    with torch.no_grad():
        said, expected = plain(tokens, memory, grid=(4, 4)), adapted(tokens, memory, grid=(4, 4))
        torch.testing.assert_close(said, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("adapter", [KINDS[0], KINDS[-1]], ids=lambda a: a.kind)
def test_a_run_with_an_adapter_is_resumed_exactly(
    adapter: AdapterConfig, walls: Path, start: Path, tmp_path: Path
) -> None:
    """Stopped at step 3, resumed from the checkpoint of step 2; svft needs its singular vectors again."""
    whole = train(run_of(walls, tmp_path / "whole", start, adapter))
    with pytest.raises(StoppedError):
        train(run_of(walls, tmp_path / "stopped", start, adapter), [StopAtThree()])
    resumed = train(run_of(walls, tmp_path / "stopped", start, adapter, resume=True))
    assert (resumed / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    states = [
        torch.load(max((tmp_path / name / "checkpoints").glob("*.ckpt")), weights_only=True)
        for name in ("whole", "stopped")
    ]
    assert states[0]["global_step"] == states[1]["global_step"] == 4
    assert all(torch.equal(value, states[1]["state_dict"][name]) for name, value in states[0]["state_dict"].items())
    moments = [state["optimizer_states"][0]["state"].values() for state in states]
    assert all(torch.equal(a[name], b[name]) for a, b in zip(*moments, strict=True) for name in a)


def test_another_adapter_is_another_run(walls: Path, start: Path, tmp_path: Path) -> None:
    train(run_of(walls, tmp_path, start, KINDS[0], max_steps=2))
    with pytest.raises(CheckpointError, match=r"trainer\.adapter\.rank was 2, now 3"):
        train(run_of(walls, tmp_path, start, AdapterConfig("lora", rank=3), max_steps=2, resume=True))


def test_an_adapter_needs_weights(walls: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"trainer\.adapter\.kind is svft, but there are no weights") as caught:
        train(small_run(walls, tmp_path / "out", adapter=AdapterConfig("svft")))
    assert "init_from" in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_without_peft_nothing_is_begun(
    walls: Path, start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ResourceError) as caught:
        train(run_of(walls, tmp_path / "out", start, KINDS[0]))
    assert "recon[adapters]" in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_a_dry_run_tells_how_many_numbers_are_trained(walls: Path, start: Path, tmp_path: Path) -> None:
    watch = Watch()
    config = run_of(walls, tmp_path, start, KINDS[0], max_steps=1)
    told = dry_run(config)
    train(config, [watch])
    trained = sum(p.numel() for p in watch.module.network.parameters() if p.requires_grad)
    assert told["trained"] == trained < 0.1 * told["parameters"]
    assert dry_run(small_run(walls, tmp_path))["trained"] == told["parameters"]
