"""What a dry run says of a run of a small network."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from models.ilrm.objective import LossConfig
from models.training import TrainConfig
from models.training.dry_run import dry_run
from tests.models.walls import small_run


def with_perceptual(config: TrainConfig, file: str | None) -> TrainConfig:
    return replace(config, loss=LossConfig(perceptual=0.5, perceptual_weights=file))


def test_the_perceptual_term_is_counted_and_said_to_be_left_out_without_its_weights(tmp_path: Path) -> None:
    plain = small_run(tmp_path, tmp_path, "ilrm")
    off, unnamed, named = (dry_run(c) for c in (plain, with_perceptual(plain, None), with_perceptual(plain, "vgg.mat")))
    assert off["perceptual_term"] == "off"
    assert "leave it out: loss.perceptual_weights" in unnamed["perceptual_term"]
    assert named["perceptual_term"] == "with vgg.mat"
    assert "perceptual term" not in off["activations_parts"]
    assert unnamed["activations_parts"] == named["activations_parts"] != off["activations_parts"]
    assert unnamed["activations_gib"] > off["activations_gib"]


def test_whether_the_data_are_there_is_said(tmp_path: Path) -> None:
    there, absent = tmp_path, tmp_path / "none"
    assert dry_run(small_run(there, tmp_path, "ilrm"))["data_folder"] == f"{there}, found"
    assert dry_run(small_run(absent, tmp_path, "ilrm"))["data_folder"] == f"{absent}, not found"


@pytest.mark.parametrize("network", ["ilrm", "ilrm-nano"])
def test_the_parts_make_up_the_whole(network: str, tmp_path: Path) -> None:
    config = small_run(tmp_path, tmp_path, network)  # pyright: ignore[reportArgumentType]
    told = dry_run(replace(config, data=replace(config.data, batch_size=64)))
    parts = [float(number) for number in re.findall(r" (\d+\.\d\d)\b", told["activations_parts"])]
    assert told["activations_gib"] == pytest.approx(sum(parts), abs=0.01 * len(parts))
    assert "tile lists" in told["activations_not_counted"]
