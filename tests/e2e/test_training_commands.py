"""The commands of docs/training.md, run as they stand but for the place of the data, few steps and small pictures."""

import json
import re
import shlex
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from PIL import Image

from app.cli import main
from models.training import run
from tests.tiny_captures import TinyCapture, tiny_captures, write_dl3dv, write_re10k

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning"),
]

ROOT = Path(__file__).parents[2]
SHORT = ["--trainer.max_steps", "4", "--trainer.checkpoint_every", "2", "--trainer.val_every", "4"]
SHORT += ["--trainer.val_batches", "1", "--trainer.threads", "1", "--data.size", "[64,64]"]


class StoppedError(Exception):
    """Stands for a crash."""


class StopAtThree(pl.Callback):
    def on_train_batch_start(self, trainer: pl.Trainer, *_: object) -> None:
        if trainer.global_step == 3:
            raise StoppedError


def commands(data_set: str) -> list[list[str]]:
    text = (ROOT / "docs" / "training.md").read_text()
    (block,) = re.findall(rf"<!-- commands: {data_set} -->\n```bash\n(.*?)```", text, re.DOTALL)
    return [shlex.split(line)[1:] for line in block.splitlines()]


def write_captures(data_set: str, folder: Path) -> list[TinyCapture]:
    """Three chunks or folders to train on and two that are held out, of 60 frames, and an index for the latter."""
    options = {"frames": 60, "size": (64, 48)}
    train, held_out = tiny_captures(3, **options), tiny_captures(5, **options)[3:]
    if data_set == "re10k":
        write_re10k(folder / "re10k", train, "train", per_chunk=1)
        write_re10k(folder / "re10k", held_out, "test", per_chunk=1)
        index = folder / "evaluation_index_re10k.json"
    else:
        write_dl3dv(folder / "dl3dv" / "train", train)
        write_dl3dv(folder / "dl3dv" / "test", held_out)
        index = folder / "dl3dv_index.json"
    entry = {"context": [2, 50], "target": [10, 20, 30]}
    index.write_text(json.dumps({capture.name: entry for capture in held_out}))
    return held_out


@pytest.mark.parametrize("data_set", ["re10k", "dl3dv"])
def test_train_crash_resume_evaluate_reconstruct(
    data_set: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    held_out = write_captures(data_set, tmp_path / "data")
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    for frame in (2, 12, 22):
        Image.fromarray(held_out[0].images[frame]).resize((256, 192)).save(photographs / f"{frame:02d}.jpg")
    monkeypatch.chdir(tmp_path)
    words = [
        [word.replace("DATA", str(tmp_path / "data")).replace("PHOTOGRAPHS", str(photographs)) for word in command]
        for command in commands(data_set)
    ]
    dry, first, resume, evaluate, reconstruct = words

    assert main(dry) == 0
    assert "parameters" in capsys.readouterr().out
    make = run._trainer
    monkeypatch.setattr(run, "_trainer", lambda *args: _with(make(*args), StopAtThree()))
    with pytest.raises(StoppedError):
        main([*first, *SHORT])
    monkeypatch.setattr(run, "_trainer", make)
    assert main([*resume, *SHORT]) == 0
    checkpoint = max((tmp_path / "runs").glob("*/checkpoints/*.ckpt"))
    assert torch.load(checkpoint, weights_only=True)["global_step"] == 4
    capsys.readouterr()

    assert main([*evaluate, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["num_scenes"] == 2
    assert report["mean"]["psnr"] > 10

    assert main([*reconstruct, "--refine", "0"]) == 0
    provenance = json.loads((tmp_path / "scene" / "scene.json").read_text())["provenance"]
    assert provenance["weights_sha256"] == report["weights_sha256"]


def _with(trainer: pl.Trainer, callback: pl.Callback) -> pl.Trainer:
    trainer.callbacks.append(callback)  # pyright: ignore[reportAttributeAccessIssue]
    return trainer
