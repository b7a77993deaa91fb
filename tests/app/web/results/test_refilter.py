from dataclasses import replace

import pytest
import torch

from app.web.results.filtered import FROM_GAUSSIANS
from app.web.results.refilter import refilter
from recon.errors import GeometryError, InputError
from recon.io.scene_folder import load_scene
from recon.io.scene_json import write_scene_json
from recon.io.splats.files import read_gaussians
from recon.io.splats.ply import write_ply
from tests.saved_scenes import two_balls


@pytest.fixture
def result(tmp_path):
    """The red ball is faint, the green one opaque."""
    scene = two_balls()
    scene = replace(scene, gaussians=replace(scene.gaussians, opacities=torch.tensor([0.2, 0.9])), up=(0.0, -1.0, 0.0))
    folder = tmp_path / "result"
    folder.mkdir()
    write_ply(folder / "gaussians.ply", scene.gaussians)
    write_scene_json(folder / "scene.json", scene, {"gaussians.ply": (folder / "gaussians.ply").stat().st_size})
    return folder


def test_faint_gaussians_go_and_the_others_stay_as_they_were(result, tmp_path):
    filtered = refilter(result, tmp_path / "out", 0.5)
    assert (filtered.kept, filtered.total) == (1, 2)
    before, after = load_scene(result), load_scene(filtered.folder)
    assert torch.equal(after.gaussians.means, before.gaussians.means[1:])
    assert torch.equal(after.gaussians.opacities, before.gaussians.opacities[1:])
    assert after.record is not None
    assert before.record is not None
    assert torch.equal(after.record.cameras.cam_from_world, before.record.cameras.cam_from_world)
    assert after.record.report["filter"] == {"min_opacity": 0.5, "kept": 1}
    assert after.up == before.up


def test_nothing_is_asked_nothing_goes(result, tmp_path):
    assert refilter(result, tmp_path / "out", 0.0).kept == 2
    assert load_scene(result).record is not None


@pytest.mark.parametrize("name", FROM_GAUSSIANS)
def test_each_format_is_written_again(result, tmp_path, name):
    filtered = refilter(result, tmp_path / "out", 0.5, [name])
    files = {path.suffix: path for path in filtered.folder.iterdir() if path.stem == "gaussians"}
    assert ".ply" in files
    if name in ("splat", "spz", "glb"):
        assert len(read_gaussians(files[f".{name}"])) == 1


def test_a_second_filtering_replaces_the_first(result, tmp_path):
    refilter(result, tmp_path / "out", 0.5, ["splat"])
    assert (tmp_path / "out" / "gaussians.splat").exists()
    assert refilter(result, tmp_path / "out", 0.1).kept == 2
    assert len(load_scene(tmp_path / "out").gaussians) == 2
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"gaussians.ply", "scene.json"}


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_a_confidence_out_of_range(result, tmp_path, confidence):
    with pytest.raises(InputError, match="expected 0 to 1"):
        refilter(result, tmp_path / "out", confidence)


@pytest.mark.parametrize("name", ["mp4", "colmap", "../x", ""])
def test_what_cannot_be_written_again(result, tmp_path, name):
    with pytest.raises(InputError, match="cannot be written again"):
        refilter(result, tmp_path / "out", 0.5, [name])


def test_nothing_left_is_said(result, tmp_path):
    with pytest.raises(GeometryError, match="none of 2 Gaussians"):
        refilter(result, tmp_path / "out", 0.95)
    assert not (tmp_path / "out").exists()
