from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from plyfile import PlyData

from recon.errors import ExportError
from recon.io.points_ply import opaque_centres, write_points_ply
from recon.types import Gaussians

POINTS = torch.tensor([[1.0, 2, 3], [-4, 5, 6.5]])
COLORS = torch.tensor([[0.0, 0.5, 1], [-1, 2, 0.25]])


def test_independent_readers_find_points_and_colours(tmp_path: Path):
    write_points_ply(tmp_path / "points.ply", POINTS, COLORS)
    expected = [[0, 128, 255], [0, 255, 64]]
    (vertex,) = PlyData.read(str(tmp_path / "points.ply")).elements
    assert np.stack([vertex[axis] for axis in "xyz"], 1).tolist() == POINTS.tolist()
    assert np.stack([vertex[name] for name in ("red", "green", "blue")], 1).tolist() == expected
    cloud = trimesh.load(tmp_path / "points.ply")
    assert isinstance(cloud, trimesh.PointCloud)
    assert cloud.vertices.tolist() == POINTS.tolist()
    assert cloud.colors[:, :3].tolist() == expected


def test_no_points_make_a_valid_file(tmp_path: Path):
    write_points_ply(tmp_path / "points.ply", POINTS[:0], COLORS[:0])
    (vertex,) = PlyData.read(str(tmp_path / "points.ply")).elements
    assert vertex.count == 0


@pytest.mark.parametrize("which", [0, 1])
def test_points_that_are_not_finite_are_refused(which: int, tmp_path: Path):
    values = [POINTS.clone(), COLORS.clone()]
    values[which][1, 1] = torch.nan
    with pytest.raises(ExportError, match="NaN"):
        write_points_ply(tmp_path / "points.ply", *values)
    assert list(tmp_path.iterdir()) == []


def test_only_gaussians_of_more_than_half_opacity_become_points():
    gaussians = Gaussians(
        means=torch.arange(9.0).reshape(3, 3),
        scales=torch.ones(3, 3),
        quats=torch.tensor([[1.0, 0, 0, 0]]).repeat(3, 1),
        opacities=torch.tensor([0.5, 0.51, 1.0]),
        sh=torch.cat([torch.zeros(3, 1, 3), torch.ones(3, 3, 3)], dim=1),
    )
    points, colors = opaque_centres(gaussians)
    assert points.tolist() == [[3, 4, 5], [6, 7, 8]]
    assert colors.unique().tolist() == [0.5]
