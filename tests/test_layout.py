"""Facts about the tree, the wheel and the installation that no single module can state."""

import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import jaxtyping
import pytest
import torch

from recon.geometry.projection import pixel_grid, project

ROOT = Path(__file__).parent.parent
CODE = ("recon", "models", "app", "tests", "scripts")
MAX_LINES = 400


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return zipfile.ZipFile(next(out.glob("*.whl")))


@pytest.mark.parametrize("folder", ["configs", "datasets", "scripts", "tests"])
def test_folders_that_are_no_packages(folder: str) -> None:
    assert not list((ROOT / folder).rglob("__init__.py"))


def test_datasets_holds_no_code() -> None:
    assert not list((ROOT / "datasets").rglob("*.py"))


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    files = [path for folder in CODE for path in (ROOT / folder).rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}
    assert len(files) > 50
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}


def test_shape_checks_are_on() -> None:
    points, cameras, K = torch.zeros(2, 5, 3), torch.eye(4).expand(2, 4, 4), torch.eye(3).expand(2, 3, 3)
    project(points, cameras, K)
    with pytest.raises(jaxtyping.TypeCheckError):
        project(points[..., :2], cameras, K)
    with pytest.raises(jaxtyping.TypeCheckError):
        pixel_grid("4", 4)  # pyright: ignore[reportArgumentType]


def test_library_that_breaks_others_is_absent() -> None:
    names = {re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower() for d in distributions()}
    assert "torchvision" not in names
    assert len(names & {"opencv-python", "opencv-python-headless", "opencv-contrib-python"}) == 1


def test_constraints_pin_every_dependency() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    project = (ROOT / "pyproject.toml").read_text()
    block = re.search(r"^dependencies = \[(.*?)^\]", project, re.DOTALL | re.MULTILINE)
    assert block is not None
    needed = re.findall(r'"([A-Za-z0-9_-]+)', block.group(1))
    assert len(needed) > 10
    assert {name.lower() for name in needed} - {"open3d"} <= pinned  # open3d: on other systems than the pinned one


def test_wheel_holds_the_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"recon", "models", "app"}


def test_wheel_holds_presets_and_weights(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    presets = {f"recon/_configs/{p.relative_to(ROOT / 'configs')}" for p in (ROOT / "configs").rglob("*.yaml")}
    weights = {str(p.relative_to(ROOT)) for p in (ROOT / "models/weights").rglob("*") if p.is_file()}
    assert presets
    assert presets <= names
    assert any(name.endswith("model.safetensors") for name in weights)
    assert weights <= names


def test_installed_wheel_finds_its_presets_from_any_folder(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    wheel.extractall(site)
    elsewhere.mkdir()
    code = "import recon.configs as c; print(*c.config_names()); print(c.find_config('experiment/rooms_nano'))"
    environment = os.environ | {"PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=elsewhere, env=environment, capture_output=True, text=True, check=True
    )
    names, path = done.stdout.splitlines()
    assert "experiment/rooms_nano" in names.split()
    assert Path(path).is_relative_to(site / "recon" / "_configs")
