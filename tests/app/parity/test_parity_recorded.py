import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.parity.gaussian_raster import check_gaussian_raster, read_settings
from app.parity.ilrm import check_ilrm
from app.parity.recorded import compare, read_tensors
from recon.errors import FormatError, InputError
from recon.render import RasterConfig

FILES = ("inputs.safetensors", "outputs.safetensors")


@pytest.fixture
def raster(fixtures: Path, tmp_path: Path) -> Path:
    return shutil.copytree(fixtures / "gaussian_raster" / "sh0_white", tmp_path / "raster")


@pytest.fixture
def ilrm(fixtures: Path, tmp_path: Path) -> Path:
    return shutil.copytree(fixtures / "ilrm_main", tmp_path / "ilrm")


def without(file: Path, name: str) -> None:
    save_file({key: value for key, value in load_file(file).items() if key != name}, file)


def test_zeros_are_compared_as_they_are() -> None:
    assert compare("x", torch.zeros(3), torch.zeros(3), 1e-3).error == 0
    assert compare("x", torch.full((3,), 0.5), torch.zeros(3), 1e-3).error == 0.5
    assert compare("x", torch.full((3,), 0.5), torch.full((3,), 2.0), 1e-3).error == 0.75


@pytest.mark.parametrize("recorded", [torch.zeros(3, 1), torch.zeros(0)])
def test_other_shapes_and_empty_tensors_are_no_agreement(recorded: torch.Tensor) -> None:
    with pytest.raises(FormatError, match="x "):
        compare("x", torch.zeros(recorded.shape[0]), recorded, 1.0)


@pytest.mark.parametrize("name", [*FILES, "config.json"])
def test_missing_and_damaged_files_of_a_rendering_are_named(name: str, raster: Path) -> None:
    (raster / name).write_bytes(b"damaged")
    with pytest.raises(FormatError, match=name):
        check_gaussian_raster(raster)
    (raster / name).unlink()
    with pytest.raises(InputError, match=name):
        check_gaussian_raster(raster)


@pytest.mark.parametrize("name", [*FILES, "weights.safetensors"])
def test_missing_and_damaged_files_of_a_network_are_named(name: str, ilrm: Path) -> None:
    (ilrm / name).write_bytes(b"damaged")
    with pytest.raises(FormatError, match=name):
        check_ilrm(ilrm)
    (ilrm / name).unlink()
    with pytest.raises(InputError, match=name):
        check_ilrm(ilrm)


def test_missing_and_unknown_tensors_are_named(raster: Path, ilrm: Path) -> None:
    without(raster / "outputs.safetensors", "grad.scales")
    with pytest.raises(FormatError, match=r"lacks grad\.scales"):
        check_gaussian_raster(raster)
    without(raster / "inputs.safetensors", "sh")
    with pytest.raises(FormatError, match="neither sh nor colors"):
        check_gaussian_raster(raster)
    save_file(read_tensors(ilrm / "outputs.safetensors") | {"mood": torch.zeros(1)}, ilrm / "outputs.safetensors")
    with pytest.raises(FormatError, match="mood"):
        check_ilrm(ilrm)
    without(ilrm / "inputs.safetensors", "intrinsics")
    with pytest.raises(FormatError, match="extrinsics, image"):
        check_ilrm(ilrm)
    without(ilrm / "weights.safetensors", "scaler.support_layernorm.weight")
    with pytest.raises(FormatError, match="does not fit"):
        check_ilrm(ilrm)


def test_recorded_conventions_are_rendered_with(raster: Path) -> None:
    assert read_settings(raster / "config.json").config == RasterConfig()
    content = json.loads((raster / "config.json").read_text())
    content["conventions"] |= {
        "mode": "antialiased", "eps2d": 0.1, "alpha_max": 0.9, "near_plane": 1, "far_plane": 9.0, "radius_clip": 2.0
    }  # fmt: skip
    (raster / "config.json").write_text(json.dumps(content))
    expected = RasterConfig(
        near_plane=1.0, far_plane=9.0, eps2d=0.1, radius_clip=2.0, rasterize_mode="antialiased", max_alpha=0.9
    )
    assert read_settings(raster / "config.json").config == expected
    assert not all(entry.ok for entry in check_gaussian_raster(raster))


@pytest.mark.parametrize(
    "changed",
    [{"mode": "pretty"}, {"eps2d": "much"}, {"alpha_max": True}, {"near_plane": None}, {"far_plane": 10**400}],
)
def test_conventions_without_meaning_are_refused(changed: dict[str, object], raster: Path) -> None:
    content = json.loads((raster / "config.json").read_text())
    content["conventions"] |= changed
    (raster / "config.json").write_text(json.dumps(content))
    with pytest.raises(FormatError, match=next(iter(changed))):
        check_gaussian_raster(raster)
