import pytest
import torch

from recon.errors import FormatError, InputError
from recon.io.export import EXPORTERS
from recon.io.scene_folder import load_scene
from recon.io.scene_json import write_scene_json
from recon.io.splats.files import write_gaussians
from recon.io.splats.ply import read_ply
from recon.types import Provenance, Scene
from tests.recon.refine.conftest import make_cameras, make_scene, photograph
from tests.saved_scenes import save_two_balls


@pytest.fixture
def folder(tmp_path):
    return save_two_balls(tmp_path / "room")


@pytest.mark.parametrize("named", ["", "scene.json"])
def test_a_result_folder_has_gaussians_and_cameras(folder, named):
    scene = load_scene(folder / named)
    assert scene.name == "room"
    assert len(scene.gaussians) == 2
    assert scene.cameras is not None
    assert len(scene.cameras) == 3
    assert scene.up is None


def test_a_bare_file_has_gaussians_alone(folder):
    scene = load_scene(folder / "gaussians.ply")
    assert (scene.name, scene.record, scene.cameras, scene.up) == ("gaussians.ply", None, None, None)
    assert len(scene.gaussians) == 2


def test_another_format_serves_where_there_is_no_ply(folder):
    write_gaussians(folder / "gaussians.splat", read_ply(folder / "gaussians.ply"))
    (folder / "gaussians.ply").unlink()
    assert load_scene(folder).gaussians_path == folder / "gaussians.splat"


def test_what_cannot_be_looked_at(folder, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        load_scene(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"scene\.json"):
        load_scene(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="suffix"):
        load_scene(tmp_path / "notes.txt")
    (folder / "gaussians.ply").rename(folder / "mine.ply")
    with pytest.raises(InputError, match=r"gaussians\.ply"):
        load_scene(folder)


def test_gaussians_of_another_run_beside_the_record_are_noticed(folder):
    write_gaussians(folder / "gaussians.ply", read_ply(folder / "gaussians.ply")[:1])
    with pytest.raises(FormatError, match="bytes"):
        load_scene(folder)


@pytest.mark.parametrize("name", ["spz", "glb"])
@pytest.mark.parametrize("up", [(0.0, -1.0, 0.0), (0.0, 0.6, 0.8)])
def test_files_that_stand_upright_come_back_in_the_frame_of_the_cameras(name, up, tmp_path):
    gaussians, cameras = make_scene(num=50), make_cameras(3)
    provenance = Provenance("none", "", "given", {}, {}, 0)
    scene = Scene(photograph(gaussians, cameras), gaussians, provenance, up=up)
    (path,) = EXPORTERS[name](scene, tmp_path)
    write_scene_json(tmp_path / "scene.json", scene, {path.name: path.stat().st_size})
    means = load_scene(tmp_path).gaussians.means
    torch.testing.assert_close(means, gaussians.means, atol=1e-4, rtol=0)
