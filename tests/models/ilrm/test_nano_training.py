"""Training on a wall that a camera slides along: small, but every part of the real thing takes part."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.hub import load_pretrained
from models.ilrm.nano.module import NanoModule
from models.ilrm.objective import OptimConfig, rate_factor
from models.training import train
from models.training.networks import make_module
from recon.errors import InputError, TrainingError
from tests.models.walls import small_run

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


def read_log(out: Path, column: str) -> list[float]:
    (file,) = out.glob("csv/version_*/metrics.csv")
    with file.open() as lines:
        return [float(row[column]) for row in csv.DictReader(lines) if row[column]]


def test_a_run_leaves_weights_that_load_and_a_log(walls, tmp_path):
    folder = train(small_run(walls, tmp_path))
    network = load_pretrained(folder).network
    assert all(torch.isfinite(p).all() for p in network.parameters())
    assert len(read_log(tmp_path, "loss")) == 4
    assert len(read_log(tmp_path, "val/psnr")) == 1


def test_a_run_goes_on_from_weights_alone(walls, tmp_path):
    first = train(small_run(walls, tmp_path / "a"))
    before = load_pretrained(first).network.state_dict()
    config = small_run(walls, tmp_path / "b", max_steps=1, init_from=str(first))
    second = train(replace(config, optim=replace(config.optim, lr=0.0)))
    after = load_pretrained(second).network.state_dict()
    for key, value in before.items():
        torch.testing.assert_close(after[key], value)


def test_the_last_step_is_in_the_exported_average(walls, tmp_path):
    first = train(small_run(walls, tmp_path / "a"))
    second = train(small_run(walls, tmp_path / "b", max_steps=1, init_from=str(first)))
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
def test_settings_without_sense_are_refused_before_anything_is_written(walls, tmp_path, trainer, model, named):
    config = small_run(walls, tmp_path / "run", **trainer)
    with pytest.raises(InputError, match=named):
        train(replace(config, nano=replace(config.nano, **model)))
    assert not (tmp_path / "run").exists()


def test_a_non_finite_gradient_stops_before_the_weights_change(walls, tmp_path, monkeypatch):
    seen = {}

    def poisoned(self, batch, batch_idx):
        seen["module"], seen["before"] = self, self.network.match_scale.detach().clone()
        self.names_in_step += batch.names
        return self.network.match_scale.sum() * float("nan")

    monkeypatch.setattr(NanoModule, "training_step", poisoned)
    with pytest.raises(TrainingError, match=r"non-finite gradient at step 0, of train/00000\d context"):
        train(small_run(walls, tmp_path))
    torch.testing.assert_close(seen["module"].network.match_scale.detach(), seen["before"])


def test_a_non_finite_loss_names_its_batch(walls, tmp_path, monkeypatch):
    infinite = {"own": torch.tensor(float("inf"))}
    monkeypatch.setattr(NanoModule, "own_terms", lambda *_: infinite)
    with pytest.raises(TrainingError, match=r"non-finite loss at step 0, of train/00000\d context"):
        train(small_run(walls, tmp_path))


def test_a_perceptual_term_without_its_backbone_is_said_to_be_left_out(walls, tmp_path, caplog):
    config = small_run(walls, tmp_path, max_steps=1)
    make_module(replace(config, loss=replace(config.loss, perceptual=0.5)))
    assert "training without the perceptual term (weight 0.5)" in caplog.text


@pytest.mark.parametrize("kind", ["adamw", "muon", "lamb"])
def test_every_optimiser_lowers_the_loss(walls, tmp_path, kind):
    config = small_run(walls, tmp_path, max_steps=40, val_every=1000)
    train(replace(config, optim=replace(config.optim, kind=kind)))
    loss = read_log(tmp_path, "loss")
    assert sum(loss[-10:]) < 0.8 * sum(loss[:10])


def test_the_cosine_rises_over_the_warm_up_and_ends_at_zero():
    """Halfway between the end of the warm-up and the end of the run, half of the rate is left."""
    rate = rate_factor(OptimConfig(warmup_steps=10, schedule="cosine"), 110)
    assert rate(4) == pytest.approx(0.5)
    assert rate(10) == pytest.approx(1)
    assert rate(60) == pytest.approx(0.5)
    assert rate(110) == pytest.approx(0, abs=1e-12)


def test_the_rate_rises_stays_and_falls():
    rates = [rate_factor(OptimConfig(warmup_steps=10, decay_steps=20), 100)(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[10:80] == [1.0] * 70
    assert rates[99] == pytest.approx(1 / 20)
