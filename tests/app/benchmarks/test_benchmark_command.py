import json
from pathlib import Path
from typing import Any

import pytest

from app.benchmarks import nvs
from app.benchmarks.__main__ import main
from app.benchmarks.scenes import find_captures
from recon.errors import InputError

FIGURES = {"mean": {"feed_forward": {"psnr": 22.123456, "ssim": 0.7}}, "scenes": {}}


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    for name in ("b", "a", "notes"):
        (tmp_path / name).mkdir()
    for name in ("a", "b"):
        (tmp_path / name / "cameras.json").touch()
    return tmp_path


def test_captures_are_folders_or_inside_folders(captures: Path) -> None:
    assert find_captures([captures]) == [captures / "a", captures / "b"]
    assert find_captures([captures / "b"]) == [captures / "b"]
    with pytest.raises(InputError, match=r"cameras\.json"):
        find_captures([captures / "notes"])


def test_json_and_table(captures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    received: list[list[Path]] = []

    def stand_in(folders: list[Path], reconstructor: str, steps: int | None) -> dict[str, Any]:
        received.append(folders)
        return FIGURES

    monkeypatch.setattr(nvs, "run", stand_in)
    monkeypatch.setattr("models.ilrm.nano.reconstructor.NanoReconstructor", lambda weights: weights)
    assert main(["nvs", "--scenes", str(captures), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == FIGURES
    assert main(["nvs", "--scenes", str(captures / "a"), str(captures / "b")]) == 0
    assert "feed_forward  psnr 22.12, ssim 0.7" in capsys.readouterr().out
    assert received == [[captures / "a", captures / "b"]] * 2


def test_nan_is_null_in_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("app.benchmarks.raster.run", lambda rounds: {"seconds": float("nan"), "rounds": rounds})
    assert main(["raster", "--rounds", "3", "--json"]) == 0
    assert capsys.readouterr().out == '{"seconds": null, "rounds": 3}\n'


def test_missing_scenes_are_an_error(captures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nvs", "--scenes", str(captures / "notes")]) == 2
    assert main(["nvs"]) == 2
    assert "scenes" in capsys.readouterr().err
