"""A run that was killed goes on as if it had not been."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from safetensors.torch import load_file, save_file

from models.ilrm.module import ILRMModule
from models.training import train
from recon.errors import CheckpointError, InputError
from recon.losses.vgg import read_vgg_loss
from recon.vgg.network import VGGLayout
from tests.models.walls import small_run

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")

BACKBONE = VGGLayout((2, 2, 4, 4, 4), (4, 4, 4, 4, 4), (2, 2, 2, 2, 2), "average")

KILLED_AT_25 = """
import os, signal, sys
import pytorch_lightning as pl
from models.training import run
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from tests.models.walls import small_run

class Kill(pl.Callback):
    def on_train_batch_end(self, trainer, *_):
        if trainer.global_step == 25:
            os.kill(os.getpid(), signal.SIGKILL)

make = run._trainer
def make_mortal(*args):
    trainer = make(*args)
    trainer.callbacks.append(Kill())
    return trainer
run._trainer = make_mortal
run.train(small_run(Path(sys.argv[2]), Path(sys.argv[3]), max_steps=50, checkpoint_every=10, val_every=20))
"""


def state(out: Path) -> dict:
    return torch.load(max((out / "checkpoints").glob("*.ckpt")), weights_only=True)


def test_resume_exact(walls: Path, tmp_path: Path) -> None:
    """A checkpoint every 10 steps, SIGKILL at 25, resumed from 20: bit-identical at the end, optimiser and all."""
    options = {"max_steps": 50, "checkpoint_every": 10, "val_every": 20}
    train(small_run(walls, tmp_path / "whole", **options))
    words = [sys.executable, "-c", KILLED_AT_25, str(Path(__file__).parents[3]), str(walls), str(tmp_path / "killed")]
    killed = subprocess.run(words, capture_output=True, text=True)
    assert killed.returncode == -9, killed.stderr
    assert state(tmp_path / "killed")["global_step"] == 20
    train(small_run(walls, tmp_path / "killed", resume=True, **options))

    whole, resumed = state(tmp_path / "whole"), state(tmp_path / "killed")
    assert whole["global_step"] == resumed["global_step"] == 50
    assert whole["state_dict"].keys() == resumed["state_dict"].keys()
    for name, value in whole["state_dict"].items():
        assert torch.equal(value, resumed["state_dict"][name]), name
    for a, b in zip(*(s["optimizer_states"][0]["state"].values() for s in (whole, resumed)), strict=True):
        assert all(torch.equal(a[name], b[name]) for name in a)
    exported = [(tmp_path / name / "weights" / "model.safetensors").read_bytes() for name in ("whole", "killed")]
    assert exported[0] == exported[1]


class Steps(pl.Callback):
    """Notes the samples of every optimiser step and the steps of evaluations, and fails after one of them."""

    def __init__(self, fails_after: int | None = None):
        self.names: dict[int, list[str]] = {}
        self.evaluated: list[int] = []
        self.fails_after = fails_after

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        assert isinstance(pl_module, ILRMModule)
        self.names[trainer.global_step] = list(pl_module.names_in_step)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.evaluated.append(trainer.global_step)

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == self.fails_after:
            raise OSError("the power went")


def run_of_fours(walls: Path, out: Path, accumulate: int, steps: Steps, resume: bool = False) -> None:
    options = {"max_steps": 7, "checkpoint_every": 3, "val_every": 3}
    config = small_run(walls, out, accumulate=accumulate, resume=resume, **options)
    train(replace(config, data=replace(config.data, batch_size=4)), [steps])


@pytest.fixture(scope="module")
def whole(walls: Path, tmp_path_factory: pytest.TempPathFactory) -> Steps:
    """What a run without a stop does."""
    steps = Steps()
    run_of_fours(walls, tmp_path_factory.mktemp("whole"), 1, steps)
    return steps


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1), (2, 4)])
def test_batches_may_be_accumulated_otherwise_after_a_stop(
    before: int, after: int, whole: Steps, walls: Path, tmp_path: Path
) -> None:
    """Every later step has the samples that it would have had, and evaluations come at the same steps."""
    resumed = Steps()
    with pytest.raises(OSError, match="power"):
        run_of_fours(walls, tmp_path, before, Steps(fails_after=4))
    run_of_fours(walls, tmp_path, after, resumed, resume=True)
    assert resumed.names == {step: names for step, names in whole.names.items() if step >= 3}
    assert resumed.evaluated == [step for step in whole.evaluated if step > 3] == [6]
    assert state(tmp_path)["global_step"] == 6


def test_a_run_is_not_resumed_with_other_settings(walls: Path, tmp_path: Path) -> None:
    train(small_run(walls, tmp_path))
    other = small_run(walls, tmp_path, resume=True, max_steps=8)
    with pytest.raises(CheckpointError, match=r"trainer\.max_steps was 4, now 8"):
        train(other)
    wider = replace(other, trainer=replace(other.trainer, max_steps=4), nano=replace(other.nano, dim=64))
    with pytest.raises(CheckpointError, match=r"nano\.dim was 32, now 64"):
        train(wider)
    other = small_run(walls, tmp_path, resume=True)
    with pytest.raises(CheckpointError, match=r"optim\.lr was 0\.002, now 0\.1"):
        train(replace(other, optim=replace(other.optim, lr=0.1)))


def write_backbone(path: Path, seed: int) -> Path:
    generator = torch.Generator().manual_seed(seed)
    save_file({name: torch.rand(shape, generator=generator) / 10 for name, shape in BACKBONE.shapes.items()}, path)
    return path


def test_a_run_is_resumed_with_its_perceptual_term_alone(
    walls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither without it, nor with other weights; but the file may have moved."""
    monkeypatch.setattr("models.ilrm.module.read_vgg_loss", lambda path: read_vgg_loss(path, layout=BACKBONE))

    def run(out: str, weights: Path | None, **trainer: Any) -> None:
        config = small_run(walls, tmp_path / out, **trainer)
        file = None if weights is None else str(weights)
        train(replace(config, loss=replace(config.loss, perceptual=0.5, perceptual_weights=file)))

    with_term, other = (write_backbone(tmp_path / f"{seed}.safetensors", seed) for seed in range(2))
    run("with", with_term)
    with pytest.raises(CheckpointError, match=r"perceptual_backbone was a file of hash .*, now None") as caught:
        run("with", None, resume=True)
    assert "--loss.perceptual_weights" in caught.value.hint
    with pytest.raises(CheckpointError, match=r"perceptual_backbone was a file of hash .*, now a file of hash"):
        run("with", other, resume=True)
    with pytest.raises(CheckpointError, match=r"gone\.safetensors: the backbone .* cannot be read"):
        run("with", tmp_path / "gone.safetensors", resume=True)
    run("with", with_term.rename(tmp_path / "moved.safetensors"), resume=True)
    without_settings(tmp_path / "with", "perceptual_backbone")
    with pytest.raises(CheckpointError, match="perceptual_backbone was some file, now None"):
        run("with", None, resume=True)
    run("with", other, resume=True)


def without_settings(out: Path, *paths: str) -> None:
    """The checkpoint as a version wrote it that did not have these settings yet."""
    file = max((out / "checkpoints").glob("*.ckpt"))
    checkpoint = torch.load(file, weights_only=True)
    for path in paths:
        *parents, name = path.split(".")
        section = checkpoint["run"]
        for parent in parents:
            section = section[parent]
        del section[name]
    torch.save(checkpoint, file)


def test_a_setting_that_a_checkpoint_is_too_old_to_know_counts_as_its_default(walls: Path, tmp_path: Path) -> None:
    train(small_run(walls, tmp_path))
    without_settings(tmp_path, "nano.block", "ilrm.block", "optim.warmup_steps", "data.views.whole_span")
    resumed = small_run(walls, tmp_path, resume=True)
    with pytest.raises(CheckpointError, match=r"optim\.warmup_steps was \d+, now 1"):
        train(replace(resumed, optim=replace(resumed.optim, warmup_steps=1)))
    block = replace(resumed.nano.block, parallel=True)
    with pytest.raises(CheckpointError, match=r"nano\.block\.parallel was False, now True"):
        train(replace(resumed, nano=replace(resumed.nano, block=block)))
    without_settings(tmp_path, "captures")
    with pytest.raises(CheckpointError, match=r"captures was None, now 3 "):
        train(resumed)


def test_a_run_that_is_too_old_to_know_a_setting_goes_on_with_its_default(walls: Path, tmp_path: Path) -> None:
    train(small_run(walls, tmp_path))
    without_settings(tmp_path, "nano.block", "ilrm.block")
    train(small_run(walls, tmp_path, resume=True))
    assert state(tmp_path)["global_step"] == 4


def test_there_must_be_something_to_resume_and_nothing_to_mix_with(walls: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint to resume from"):
        train(small_run(walls, tmp_path / "none", resume=True))
    train(small_run(walls, tmp_path / "run"))
    with pytest.raises(InputError, match="holds the checkpoints of a run") as caught:
        train(small_run(walls, tmp_path / "run"))
    assert "resume" in caught.value.hint


def test_auto_begins_and_goes_on(walls: Path, tmp_path: Path) -> None:
    train(small_run(walls, tmp_path, resume="auto"))
    assert state(tmp_path)["global_step"] == 4
    train(small_run(walls, tmp_path, resume="auto"))
    assert state(tmp_path)["global_step"] == 4


def test_other_captures_are_told(walls: Path, tmp_path: Path) -> None:
    """The order of an epoch follows from their number."""
    train(small_run(walls, tmp_path / "run"))
    fewer = tmp_path / "fewer"
    shutil.copytree(walls, fewer)
    next((fewer / "train").glob("*")).unlink()
    with pytest.raises(CheckpointError, match=r"captures was 3 .*, now 2 "):
        train(small_run(fewer, tmp_path / "run", resume=True))


def test_the_checkpoint_before_a_damaged_one_is_taken(walls: Path, tmp_path: Path) -> None:
    """Once the damaged one is removed, as the error says; and the weights are those of a run that was never stopped."""
    options = {"max_steps": 7, "checkpoint_every": 2, "val_every": 10}
    train(small_run(walls, tmp_path, **options))
    whole = load_file(tmp_path / "weights" / "model.safetensors")
    before, newest = sorted((tmp_path / "checkpoints").iterdir())
    assert (before.name, newest.name) == ("step_0000004.ckpt", "step_0000006.ckpt")
    newest.write_bytes(newest.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"step_0000006\.ckpt: not a checkpoint of a run") as caught:
        train(small_run(walls, tmp_path, resume=True, **options))
    assert "the one before will be taken" in caught.value.hint
    newest.unlink()
    train(small_run(walls, tmp_path, resume=True, **options))
    assert sorted((tmp_path / "checkpoints").iterdir()) == [before, newest]
    resumed = load_file(tmp_path / "weights" / "model.safetensors")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
