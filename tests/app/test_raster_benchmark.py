import pytest
import torch

from app.benchmarks import raster
from app.benchmarks.raster_scenes import make_scene
from recon.render import get_rasterizer


@pytest.mark.parametrize("kind", ["volume", "surface"])
def test_scenes_have_the_size_asked_for_and_cover_the_image(kind, generator):
    scene = make_scene(kind, 4096, 64, generator)
    assert len(scene.means) == 4096
    alpha = get_rasterizer("cpu")(*scene, 64, 64).alpha
    assert float(alpha.mean()) > 0.7


def test_gaussians_of_a_surface_are_flat_along_its_normal(generator):
    scene = make_scene("surface", 4096, 64, generator)
    assert (scene.scales[:, 2] < 0.2 * scene.scales[:, :2].amin(1)).all()


def test_a_run_reports_every_cell(monkeypatch):
    cell = ("surface", 1024, 32)
    monkeypatch.setattr(raster, "TARGETS_MS", {cell: (1.0, 2.0)})
    monkeypatch.setattr(raster, "_MILLION", 2000)
    monkeypatch.setattr(raster, "_CONTROL_SIZE", 64)
    threads = torch.get_num_threads()
    report = raster.run(rounds=2)
    assert torch.get_num_threads() == threads
    (row,) = report["rows"]
    assert (row["scene"], row["gaussians"], row["size_px"]) == cell
    assert row["forward_ratio"] == row["forward_min_ms"] / 1.0
    assert 0 < row["forward_min_ms"] <= row["forward_median_ms"]
    assert report["million"]["finite"]
    assert report["million"]["equal_at_1_and_2_threads"]
    assert max(report["oracle"]["errors"].values()) < 1e-4
    assert report["control"]["max"] >= report["control"]["median"] > 0
