"""`recon diagnose` on small weights."""

import json
from pathlib import Path

import pytest
import torch

from app.cli import main
from models.hub import save_pretrained
from models.ilrm.nano.network import NanoILRM
from models.ilrm.network import ILRM
from tests.models.walls import SMALL, TINY, write_walls


@pytest.fixture(scope="module")
def walls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_walls(tmp_path_factory.mktemp("walls"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run of seed 7 begins with, but for one layer."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(7)
    network = NanoILRM(SMALL)
    network.match_coarse.weight.data.neg_()
    save_pretrained(folder, "ilrm-nano", network, SMALL, dtype=torch.float32)
    return folder


def figures(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert main(["diagnose", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_beginning_of_a_run_is_found_by_its_seed(weights: Path, capsys) -> None:
    found = figures(capsys, str(weights), "--seed", "7")
    turned = {row["name"]: row["rotation"] for row in found["layers"]}
    assert turned.pop("match_coarse") == pytest.approx(2)
    assert max(value for value in turned.values() if value is not None) < 1e-9
    other = figures(capsys, str(weights), "--seed", "8")
    assert other["related"] <= 1 < other["compared"]


def test_against_itself_nothing_is_turned(weights: Path, capsys) -> None:
    found = figures(capsys, str(weights), "--against", str(weights))
    assert {round(row["rotation"], 9) for row in found["layers"] if row["rotation"] is not None} == {0}


def test_table_plot_and_activations(weights: Path, walls: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    words = [str(weights), "--data", str(walls), "--size", "[64, 64]", "--captures", "1", "-o", str(out)]
    assert main(["diagnose", *words]) == 0
    said = capsys.readouterr().out
    assert "hidden hard" in said
    assert "turned    from a new network of seed 0" in said
    assert "processor.blocks.1.mlp.fc2" in said
    assert {path.name for path in out.iterdir()} == {"layers.csv", "layers.png"}


def test_without_data_no_column_of_activations(weights: Path, capsys) -> None:
    assert main(["diagnose", str(weights)]) == 0
    heading = capsys.readouterr().out.splitlines()[0].split()
    assert heading == ["layer", "matrix", "turned", "hard", "soft", "tail", "norm"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--data", "DATA", "--size", "[60, 64]"], 2, "expected multiples of 16 for ilrm-nano"),
        (["--data", "DATA", "--captures", "0"], 2, "0 captures, expected at least one"),
        (["--data", "nowhere"], 2, "no such folder"),
        (["--against", "nowhere"], 4, "no model.safetensors"),
        (["--against", "OTHER"], 4, "holds ilrm, expected ilrm-nano"),
    ],
)
def test_what_cannot_be_done_is_said(words, code, said, weights, walls, tmp_path, capsys) -> None:
    save_pretrained(tmp_path / "other", "ilrm", ILRM(TINY), TINY)
    places = {"DATA": str(walls), "OTHER": str(tmp_path / "other")}
    assert main(["diagnose", str(weights), *(places.get(word, word) for word in words)]) == code
    assert said in capsys.readouterr().err
