import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from app.cli import main
from recon.io.splats.files import read_gaussians, write_gaussians
from recon.types import Gaussians


def gaussians_of(num: int, degree: int = 1) -> Gaussians:
    generator = torch.Generator().manual_seed(0)
    return Gaussians(
        means=torch.randn(num, 3, generator=generator),
        scales=torch.rand(num, 3, generator=generator) + 0.1,
        quats=torch.nn.functional.normalize(torch.randn(num, 4, generator=generator), dim=1),
        opacities=torch.rand(num, generator=generator),
        sh=0.5 * torch.rand(num, (degree + 1) ** 2, 3, generator=generator),
    )


@pytest.fixture
def scene_ply(tmp_path: Path) -> Path:
    write_gaussians(tmp_path / "a.ply", gaussians_of(20))
    return tmp_path / "a.ply"


@pytest.mark.parametrize(("suffix", "lost"), [(".glb", 0), (".ply", 0), (".spz", 2), (".splat", 3)])
def test_every_suffix_is_written_and_read_back(
    suffix: str, lost: int, scene_ply: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = scene_ply.with_name(f"b{suffix}")
    assert main(["convert", str(scene_ply), str(target), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert len(read_gaussians(target)) == facts["gaussians"] == 20
    assert facts["bytes"] == {"input": scene_ply.stat().st_size, "output": target.stat().st_size}
    assert (facts["dropped"], len(facts["lost"])) == (0, lost)
    assert (max(facts["largest_errors"].values()) < 1e-4) == (lost == 0)


def test_a_table_says_what_was_lost(scene_ply: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(scene_ply), str(scene_ply.with_name("b.splat"))]) == 0
    said = capsys.readouterr().out
    for words in ("a.ply", "b.splat  640 B", "20", "view-dependent colour", "rotation", "degrees"):
        assert words in said


def test_gaussians_that_mean_nothing_are_dropped_and_counted(
    scene_ply: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(scene_ply.read_bytes())
    table = np.frombuffer(content, "<f4", offset=content.index(b"end_header\n") + 11).reshape(20, -1)
    table[3, 0] = math.nan
    table[5, -4:] = 0
    scene_ply.write_bytes(content)
    target = scene_ply.with_name("b.ply")
    assert main(["convert", str(scene_ply), str(target)]) == 0
    assert "18, 2 dropped" in capsys.readouterr().out
    assert len(read_gaussians(target)) == 18
    table[:, 0] = math.inf
    scene_ply.write_bytes(content)
    assert main(["convert", str(scene_ply), str(target), "--overwrite"]) == 2
    assert "none of the 20 Gaussians" in capsys.readouterr().err
    assert len(read_gaussians(target)) == 18


def test_an_output_is_replaced_only_when_asked(scene_ply: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = scene_ply.with_name("b.spz")
    target.write_text("mine")
    assert main(["convert", str(scene_ply), str(target)]) == 5
    assert "--overwrite" in capsys.readouterr().err
    assert target.read_text() == "mine"
    assert main(["convert", str(scene_ply), str(target), "--overwrite"]) == 0
    assert len(read_gaussians(target)) == 20


def test_the_input_is_never_the_output(scene_ply: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = scene_ply.read_bytes()
    assert main(["convert", str(scene_ply), str(scene_ply), "--overwrite"]) == 2
    assert "both input and output" in capsys.readouterr().err
    assert scene_ply.read_bytes() == before


@pytest.mark.parametrize(
    ("source", "target", "code", "words"),
    [
        ("a.ply", "b.obj", 2, "names no format"),
        ("a.ply", "b.compressed.ply", 2, "only read"),
        ("a.obj", "b.ply", 2, "names no format"),
        ("none.ply", "b.ply", 2, "none.ply"),
        ("a.ply", "none/b.ply", 5, "cannot be written"),
        ("empty", "b.ply", 2, "gaussians.ply"),
    ],
)
def test_what_cannot_be_converted_is_named(
    source: str, target: str, code: int, words: str, scene_ply: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = scene_ply.parent
    (folder / "empty").mkdir()
    assert main(["convert", str(folder / source), str(folder / target)]) == code
    assert words in capsys.readouterr().err
    assert {path.name for path in folder.iterdir()} == {"a.ply", "empty"}


def test_a_scene_folder_stands_for_its_gaussians(tmp_path: Path) -> None:
    write_gaussians(tmp_path / "gaussians.ply", gaussians_of(3))
    assert main(["convert", str(tmp_path), str(tmp_path / "x.glb")]) == 0
    assert len(read_gaussians(tmp_path / "x.glb")) == 3


def test_no_gaussians_convert_to_a_file_of_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_gaussians(tmp_path / "a.ply", gaussians_of(0))
    assert main(["convert", str(tmp_path / "a.ply"), str(tmp_path / "b.spz")]) == 0
    assert len(read_gaussians(tmp_path / "b.spz")) == 0
    assert main(["convert", str(tmp_path / "a.ply"), str(tmp_path / "b.splat")]) == 5
    assert "no Gaussians" in capsys.readouterr().err
