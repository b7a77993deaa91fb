from dataclasses import replace
from pathlib import Path

import numpy as np
import pycolmap
import pytest
import torch
import trimesh
from plyfile import PlyData

from recon.io.colmap import read_colmap
from recon.io.export import EXPORTERS
from recon.io.photographs.poses_to_views import pose_views
from recon.io.splats.files import read_gaussians
from recon.io.splats.ply import read_ply
from recon.io.transforms_json import read_transforms
from recon.types import Scene


def test_every_exporter_lists_what_it_wrote(scene: Scene, tmp_path: Path):
    for name, export in EXPORTERS.items():
        folder = tmp_path / name
        folder.mkdir()
        written = export(scene, folder)
        assert sorted(written) == sorted(p for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize(
    ("name", "file"),
    [("splat", "gaussians.splat"), ("spz", "gaussians.spz"), ("glb", "gaussians.glb"), ("ply", "gaussians.ply")],
)
def test_gaussians_stand_in_one_file_of_their_name(name: str, file: str, scene: Scene, tmp_path: Path):
    assert EXPORTERS[name](scene, tmp_path) == [tmp_path / file]
    assert len(read_gaussians(tmp_path / file)) == len(scene.gaussians)


def test_points_are_the_opaque_centres(scene: Scene, tmp_path: Path):
    assert EXPORTERS["points"](scene, tmp_path) == [tmp_path / "points.ply"]
    (vertex,) = PlyData.read(str(tmp_path / "points.ply")).elements
    expected = scene.gaussians.means[scene.gaussians.opacities > 0.5]
    assert 0 < len(expected) < len(scene.gaussians)
    assert np.array_equal(np.stack([vertex[axis] for axis in "xyz"], 1), expected.numpy())


def test_ply_holds_the_gaussians(scene: Scene, tmp_path: Path):
    (path,) = EXPORTERS["ply"](scene, tmp_path)
    assert path.name == "gaussians.ply"
    assert torch.equal(read_ply(path).means, scene.gaussians.means)


def test_transforms_give_the_same_views_back(scene: Scene, tmp_path: Path):
    EXPORTERS["transforms"](scene, tmp_path)
    photographs, pose = read_transforms(tmp_path)
    views = pose_views(photographs, pose, resolution=32)
    assert views.cameras is not None
    assert (views.images - scene.views.images).abs().max() <= 0.5 / 255 + 1e-6
    assert torch.allclose(views.cameras.K, scene.cameras.K)
    assert torch.allclose(views.cameras.cam_from_world, scene.cameras.cam_from_world, atol=1e-6)


def test_names_of_views_never_lead_outside_or_overwrite(scene: Scene, tmp_path: Path):
    names = ("../../x.jpg", "X.png")
    out = tmp_path / "out"
    out.mkdir()
    written = EXPORTERS["transforms"](replace(scene, views=replace(scene.views, names=names)), out)
    assert {p.name for p in written} == {"transforms.json", "x.png", "X-2.png"}
    assert all(p.is_relative_to(out) for p in tmp_path.rglob("*") if p.is_file())


@pytest.mark.parametrize("up", [(0.0, -1.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.6, -0.8, 0.0)])
def test_up_is_plus_y_in_glb_and_spz(up: tuple[float, float, float], scene: Scene, tmp_path: Path):
    """Heights above the ground, measured along `up`, are the y coordinates that the files hold."""
    heights = scene.gaussians.means @ torch.tensor(up)
    EXPORTERS["glb"](replace(scene, up=up), tmp_path)
    y = torch.from_numpy(np.array(trimesh.load(tmp_path / "gaussians.glb").geometry.popitem()[1].vertices))[:, 1]
    torch.testing.assert_close(y.float().sort().values, heights.sort().values, atol=1e-4, rtol=0)
    EXPORTERS["spz"](replace(scene, up=up), tmp_path)
    y = -read_gaussians(tmp_path / "gaussians.spz").means[:, 1]  # the reader undoes the half turn about x
    torch.testing.assert_close(y.sort().values, heights.sort().values, atol=1e-2, rtol=0)


def test_a_colmap_model_is_read_back_by_colmap(scene: Scene, tmp_path: Path):
    EXPORTERS["colmap"](scene, tmp_path)
    model = pycolmap.Reconstruction(tmp_path / "sparse" / "0")
    assert sorted(image.name for image in model.images.values()) == sorted(
        p.name for p in (tmp_path / "images").iterdir()
    )
    assert len(model.points3D) == int((scene.gaussians.opacities > 0.5).sum())
    photographs, pose = read_colmap(tmp_path)
    views = pose_views(photographs, pose, resolution=scene.views.width)
    torch.testing.assert_close(views.posed_cameras.cam_from_world, scene.cameras.cam_from_world, atol=1e-5, rtol=0)
