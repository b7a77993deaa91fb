"""Training on a wall that a camera slides along: small, but every part of the real thing takes part."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from models.hub import load_pretrained
from models.ilrm.nano.config import NanoConfig
from models.ilrm.nano.module import NanoModule, OptimConfig, rate_factor
from models.training import TrainConfig, TrainerConfig, train
from recon.data.room_batches import RoomBatches, RoomDataConfig
from recon.data.rooms.scene_file import SceneArrays, write_scene
from recon.errors import InputError, TrainingError

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")

SIDE, DEPTH, STEP, FOCAL = 64, 2.0, 0.0625, 64.0
SMALL = NanoConfig(dim=32, head_dim=16, num_layers=1, feature_dim=16, match_dim=8, coarse_planes=16, fine_planes=4)


def wall(seed: int) -> SceneArrays:
    """Eight views of a textured wall; each step moves the picture by two pixels."""
    generator = torch.Generator().manual_seed(seed)
    texture = interpolate(torch.rand(1, 3, 16, 24, generator=generator), size=(SIDE, SIDE + 32), mode="bicubic")[0]
    shift = round(STEP * FOCAL / DEPTH)
    views = [texture[:, :, shift * i : shift * i + SIDE] for i in range(8)]
    pose = np.tile(np.eye(4, dtype=np.float32), (8, 1, 1))
    pose[:, 0, 3] = -STEP * np.arange(8)
    K = np.array([[FOCAL, 0, SIDE / 2], [0, FOCAL, SIDE / 2], [0, 0, 1]], dtype=np.float32)
    images = (torch.stack(views).clamp(0, 1) * 255).byte().permute(0, 2, 3, 1).numpy()
    depth = np.full((8, SIDE, SIDE), 1 / DEPTH, dtype=np.float16)
    return SceneArrays(images, depth, pose, np.tile(K, (8, 1, 1)))


@pytest.fixture(scope="module")
def rooms(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("rooms")
    for split, seeds in (("train", range(3)), ("val", range(10, 12))):
        (folder / split).mkdir()
        for seed in seeds:
            write_scene(folder / split / f"{seed:06d}.safetensors", wall(seed), {"seed": str(seed)})
    return folder


def small_run(rooms: Path, out: Path, **trainer) -> TrainConfig:
    settings: dict[str, Any] = {
        "max_steps": 4,
        "threads": 1,
        "log_every": 1,
        "val_every": 4,
        "val_batches": 1,
        "checkpoint_every": 2,
    }
    return TrainConfig(
        model=SMALL,
        data=RoomDataConfig(folder=str(rooms), resolution=64, batch_size=1, colour_jitter=0.05, seed=3),
        optim=OptimConfig(lr=2e-3, warmup_steps=2),
        trainer=TrainerConfig(out=str(out), **(settings | trainer)),
    )


def read_log(out: Path, column: str) -> list[float]:
    (file,) = out.glob("csv/version_*/metrics.csv")
    with file.open() as lines:
        return [float(row[column]) for row in csv.DictReader(lines) if row[column]]


def test_a_run_leaves_weights_that_load_and_a_log(rooms, tmp_path):
    folder = train(small_run(rooms, tmp_path))
    network = load_pretrained(folder).network
    assert all(torch.isfinite(p).all() for p in network.parameters())
    assert len(read_log(tmp_path, "loss")) == 4
    assert len(read_log(tmp_path, "val/psnr")) == 1


def test_the_loss_falls(rooms, tmp_path):
    train(small_run(rooms, tmp_path, max_steps=60, val_every=1000))
    loss = read_log(tmp_path, "loss")
    assert sum(loss[-15:]) < 0.6 * sum(loss[:15])


def test_a_run_goes_on_from_weights_alone(rooms, tmp_path):
    first = train(small_run(rooms, tmp_path / "a"))
    before = load_pretrained(first).network.state_dict()
    config = small_run(rooms, tmp_path / "b", max_steps=1, init_from=str(first))
    second = train(replace(config, optim=replace(config.optim, lr=0.0)))
    after = load_pretrained(second).network.state_dict()
    for key, value in before.items():
        torch.testing.assert_close(after[key], value)


def test_the_last_step_is_in_the_exported_average(rooms, tmp_path):
    first = train(small_run(rooms, tmp_path / "a"))
    second = train(small_run(rooms, tmp_path / "b", max_steps=1, init_from=str(first)))
    before, after = (load_pretrained(f).network.state_dict()["match_coarse.weight"] for f in (first, second))
    assert not torch.equal(before, after)


@pytest.mark.parametrize(
    ("trainer", "model", "named"),
    [
        ({"max_steps": 0}, {}, "max_steps"),
        ({"devices": 0}, {}, "devices"),
        ({}, {"head_dim": 0}, "head_dim"),
        ({}, {"dim": 40}, "multiple of head_dim"),
    ],
)
def test_settings_without_sense_are_refused_before_anything_is_written(rooms, tmp_path, trainer, model, named):
    config = small_run(rooms, tmp_path / "run", **trainer)
    with pytest.raises(InputError, match=named):
        train(replace(config, model=replace(config.model, **model)))
    assert not (tmp_path / "run").exists()


def test_a_batch_depends_on_its_number_alone(rooms):
    config = RoomDataConfig(folder=str(rooms), resolution=32, batch_size=2, seed=5)
    one, again = RoomBatches(config, 10), RoomBatches(config, 10)
    again[3]
    for a, b in zip(one[7], again[7], strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(one[6].images.mean(), one[7].images.mean())


def test_a_non_finite_gradient_stops_before_the_weights_change(rooms, tmp_path, monkeypatch):
    seen = {}

    def poisoned(self, batch, batch_idx):
        seen["module"], seen["before"] = self, self.network.match_scale.detach().clone()
        return self.network.match_scale.sum() * float("nan")

    monkeypatch.setattr(NanoModule, "training_step", poisoned)
    with pytest.raises(TrainingError, match="non-finite gradient at step 0"):
        train(small_run(rooms, tmp_path))
    torch.testing.assert_close(seen["module"].network.match_scale.detach(), seen["before"])


def test_the_rate_rises_stays_and_falls():
    rates = [rate_factor(OptimConfig(warmup_steps=10, decay_steps=20), 100)(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[10:80] == [1.0] * 70
    assert rates[99] == pytest.approx(1 / 20)
