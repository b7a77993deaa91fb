"""The commands of docs/training.md, run as they stand but for the place of the data and few steps on small crops."""

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
    """Three captures to train on and two that are held out, of 60 frames, and an index for the latter.

    Laid out as the document says: chunks of pictures of 640 x 360, or folders of DL3DV in a batch of a thousand, with
    one of the two held-out captures beside it as the benchmark has it.
    """
    captures = tiny_captures(5, frames=60, size=(64, 36))
    if data_set == "re10k":
        captures = [capture.enlarged(10) for capture in captures]
        write_re10k(folder / "re10k", captures[:3], "train", per_chunk=1)
        write_re10k(folder / "re10k", captures[3:], "test", per_chunk=1)
        index = folder / "evaluation_index_re10k.json"
    else:
        write_dl3dv(folder / "dl3dv", captures[:4], layout="10k")
        write_dl3dv(folder / "dl3dv", captures[4:], layout="benchmark")
        (folder / "dl3dv" / "test.txt").write_text("".join(f"{capture.name}\n" for capture in captures[3:]))
        index = folder / "dl3dv_index.json"
    held_out = captures[3:]
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
        Image.fromarray(held_out[0].images[frame]).resize((256, 144)).save(photographs / f"{frame:02d}.jpg")
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


def test_own_captures_are_trained_on_as_they_were_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_dl3dv(tmp_path / "photographs", tiny_captures(2, frames=6, size=(64, 48)), layout="10k", downsample=1)
    for split, capture in zip(("train", "val"), sorted((tmp_path / "photographs" / "1K").iterdir()), strict=True):
        words = ["reconstruct", str(capture), "-o", str(tmp_path / "data" / split / "mine")]
        assert main([*words, "--export", "transforms", "--refine", "0", "--resolution", "64", "--quiet"]) == 0
    (command,) = commands("own captures")
    words = [word.replace("DATA", str(tmp_path / "data")) for word in command]
    assert main([*words, *SHORT]) == 0
    (log,) = (tmp_path / "runs" / "dl3dv_nano").glob("csv/**/metrics.csv")
    assert "val/psnr" in log.read_text().splitlines()[0]
    assert (tmp_path / "runs" / "dl3dv_nano" / "weights" / "model.safetensors").is_file()


def _with(trainer: pl.Trainer, callback: pl.Callback) -> pl.Trainer:
    trainer.callbacks.append(callback)  # pyright: ignore[reportAttributeAccessIssue]
    return trainer
