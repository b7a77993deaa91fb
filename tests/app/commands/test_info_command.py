import json
from pathlib import Path

import numpy as np
import pytest
import torch

from app.cli import main
from recon.io.scene_json import write_scene_json
from recon.io.splats.files import write_gaussians
from recon.types import Cameras, Gaussians, Provenance, Scene, ViewSet

HUNDREDTHS = torch.linspace(0, 1, 101)


def a_line(degree: int = 0) -> Gaussians:
    """101 Gaussians along x from 0 to 100, of growing opacity and scale."""
    return Gaussians(
        means=torch.stack([100 * HUNDREDTHS, torch.full((101,), -2.0), torch.zeros(101)], dim=1),
        scales=(1 + HUNDREDTHS)[:, None].repeat(1, 3),
        quats=torch.tensor([[1.0, 0, 0, 0]]).repeat(101, 1),
        opacities=HUNDREDTHS,
        sh=torch.zeros(101, (degree + 1) ** 2, 3),
    )


def facts_of(path: Path, capsys: pytest.CaptureFixture[str]) -> dict:
    assert main(["info", str(path), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_figures_of_a_known_scene(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_gaussians(tmp_path / "a.glb", a_line(degree=2))
    facts = facts_of(tmp_path / "a.glb", capsys)["gaussians"]
    assert (facts["gaussians"], facts["sh_degree"]) == (101, 2)
    assert facts["bytes"] == (tmp_path / "a.glb").stat().st_size
    assert facts["position"]["x"] == pytest.approx({"min": 0, "p1": 1, "p50": 50, "p99": 99, "max": 100})
    assert set(facts["position"]["y"].values()) == {-2.0}
    assert facts["opacity"]["p99"] == pytest.approx(0.99)
    assert facts["scale"]["p50"] == pytest.approx(1.5)
    assert sum(facts["not_usable"].values()) == 0


@pytest.mark.parametrize(
    ("suffix", "words"),
    [
        (".ply", ["PLY, 17 properties of vertex"]),
        (".splat", ["splat"]),
        (".spz", ["SPZ, version 3, fractional_bits 16"]),
        (".glb", ["KHR_gaussian_splatting"]),
    ],
)
def test_a_table_for_people(suffix: str, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_gaussians(tmp_path / f"a{suffix}", a_line())
    assert main(["info", str(tmp_path / f"a{suffix}")]) == 0
    said = capsys.readouterr().out
    for word in [*words, "number      101", "degree 0", "not usable  none", "position x", "p50"]:
        assert word in said


def test_a_file_of_another_program(fixtures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(fixtures / "splat_transform" / "packed.compressed.ply")]) == 0
    assert "compressed PLY" in capsys.readouterr().out


def test_defects_are_counted_and_left_out_of_the_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_gaussians(tmp_path / "a.ply", a_line())
    content = bytearray((tmp_path / "a.ply").read_bytes())
    table = np.frombuffer(content, "<f4", offset=content.index(b"end_header\n") + 11).reshape(101, 17)
    table[100, 0], table[100, 1] = np.inf, np.nan
    table[99, 6] = np.nan
    table[98, 13:] = 0
    (tmp_path / "a.ply").write_bytes(content)
    facts = facts_of(tmp_path / "a.ply", capsys)["gaussians"]
    defects = {name: num for name, num in facts["not_usable"].items() if num}
    assert defects == {"gaussians": 3, "means_not_finite": 1, "colours_not_finite": 1, "rotations_zero": 1}
    assert facts["gaussians"] == 101
    assert facts["position"]["x"]["max"] == 97


def test_nothing_has_no_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_gaussians(tmp_path / "a.ply", a_line()[:0])
    assert facts_of(tmp_path / "a.ply", capsys)["gaussians"]["opacity"] == {}
    assert main(["info", str(tmp_path / "a.ply")]) == 0
    assert "number      0" in capsys.readouterr().out


@pytest.fixture
def scene_folder(tmp_path: Path) -> Path:
    views = ViewSet(
        images=torch.zeros(2, 3, 4, 4),
        names=("a.jpg", "b.jpg"),
        original_size=torch.full((2, 2), 4),
        crop_from_original=torch.eye(3).repeat(2, 1, 1),
        masks=torch.ones(2, 4, 4, dtype=torch.bool),
        cameras=Cameras(torch.eye(4).repeat(2, 1, 1), torch.eye(3).repeat(2, 1, 1), torch.full((2, 2), 4)),
    )
    provenance = Provenance("tiny", "0" * 64, "sfm", {}, {"torch": "2.13"}, 7)
    scene = Scene(views, a_line(), provenance, up=(0.0, -1.0, 0.0), report={"gaussians": 101, "seconds": {"load": 1.5}})
    write_gaussians(tmp_path / "gaussians.ply", scene.gaussians)
    write_scene_json(tmp_path / "scene.json", scene, {"gaussians.ply": 123})
    return tmp_path


@pytest.mark.parametrize("name", [".", "scene.json"])
def test_a_scene_tells_where_it_comes_from(name: str, scene_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = facts_of(scene_folder / name, capsys)
    assert facts["scene"]["photographs"] == 2
    assert (facts["scene"]["model"], facts["scene"]["poses"], facts["scene"]["seed"]) == ("tiny", "sfm", 7)
    assert facts["scene"]["report"]["seconds"] == {"load": 1.5}
    assert facts["scene"]["files"] == {"gaussians.ply": 123}
    assert facts["gaussians"]["gaussians"] == 101
    assert main(["info", str(scene_folder)]) == 0
    said = capsys.readouterr().out
    for word in ("tiny", "sfm", "load 1.5", "number      101"):
        assert word in said


def test_a_scene_without_gaussians_is_still_a_scene(scene_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (scene_folder / "gaussians.ply").unlink()
    assert set(facts_of(scene_folder, capsys)) == {"scene"}


@pytest.mark.parametrize("name", ["none.ply", "none", ".", "a.jpg"])
def test_what_is_no_scene_is_named(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jpg").touch()
    assert main(["info", str(tmp_path / name)]) == 2
    assert capsys.readouterr().err.startswith("error: ")
