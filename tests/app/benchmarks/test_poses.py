"""Shares of pairs in the figures of poses, worked out by hand for estimates whose errors are known."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.benchmarks import poses
from recon.errors import PoseError
from recon.geometry.se3 import rotation_from_vector
from recon.types import Cameras, Photograph, PoseEstimate, PoseReport

Estimate = Callable[[list[Photograph]], PoseEstimate]


def on_a_line(*turned_deg: float) -> Cameras:
    """Cameras side by side, each turned on the spot about its axis of view."""
    pose = torch.eye(4, dtype=torch.float64).repeat(len(turned_deg), 1, 1)
    angles = torch.tensor(turned_deg, dtype=torch.float64).deg2rad()
    pose[:, :3, :3] = rotation_from_vector(torch.stack([0 * angles, 0 * angles, angles], dim=-1))
    centers = torch.arange(len(turned_deg), dtype=torch.float64)[:, None] * torch.tensor([1.0, 0, 0]).double()
    pose[:, :3, 3:] = -pose[:, :3, :3] @ centers[:, :, None]
    K = torch.tensor([[8.0, 0, 4], [0, 8, 4], [0, 0, 1]], dtype=torch.float64).expand(len(turned_deg), 3, 3)
    return Cameras(pose, K, torch.full((len(turned_deg), 2), 8))


def placed(cameras: Cameras, *registered: int) -> PoseEstimate:
    return PoseEstimate(
        source="sfm",
        registered=registered,
        cameras=cameras,
        distortion=torch.zeros(len(cameras), 4, dtype=torch.float64),
        points=torch.zeros(0, 3, dtype=torch.float64),
        report=PoseReport("by hand"),
    )


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int, Estimate], dict[str, Any]]:
    """The benchmark on captures of cameras on a line, with another estimator."""

    def run(num_captures: int, num_photographs: int, estimate: Estimate) -> dict[str, Any]:
        photographs = [Photograph(f"{i}.png", np.zeros((8, 8, 3), np.uint8), (8, 8)) for i in range(num_photographs)]
        given = placed(on_a_line(*[0.0] * num_photographs), *range(num_photographs))
        estimator = type("Estimator", (), {"estimate": lambda self, photographs: estimate(photographs)})
        monkeypatch.setattr(poses, "SfmPoseEstimator", estimator)
        monkeypatch.setattr(poses, "read_transforms", lambda path, max_views: (photographs, given))
        return poses.run([Path(f"capture_{i}") for i in range(num_captures)])

    return run


def test_pairs_of_all_captures_are_pooled_before_the_area_is_taken(figures: Callable) -> None:
    """20 pairs off by 4.9 degrees. The curve of each alone rises from (0, 0) to (4.9, 1); that of all of them only
    reaches (4.9, 1 / 20) before it is 1.
    """
    found = figures(20, 2, lambda photographs: placed(on_a_line(0.0, 4.9), 0, 1))
    alone, pooled = (4.9 / 2 + 0.1) / 5, (4.9 / 20 / 2 + 0.1) / 5
    assert [row["capture_auc_5"] for row in found["pairs"]] == pytest.approx([alone] * 20, abs=1e-3)
    assert found["summary"]["pairs"]["pooled_auc_5"] == pytest.approx(pooled, abs=1e-3)
    assert found["summary"]["pairs"]["pooled_auc_30_binned"] == pytest.approx(26 / 30, abs=1e-3)


def test_a_pair_with_an_unregistered_photograph_counts_as_wholly_wrong(figures: Callable) -> None:
    """2 of 8 photographs placed without error: 1 pair of 28."""
    found = figures(1, 8, lambda photographs: placed(on_a_line(0.0, 0.0), 0, 1))
    (row,) = found["scenes"]
    assert (row["registered"], row["photographs"], row["rotation_deg"]) == (2, 8, 0)
    for name in ("auc_5", "auc_20", "auc_30_binned", "rra_15", "rta_15"):
        assert row[f"capture_{name}"] == found["summary"]["scenes"][f"pooled_{name}"] == round(1 / 28, 3)
        assert found["summary"]["pairs"][f"pooled_{name}"] == 1


def test_a_capture_without_poses_brings_its_pairs_too(figures: Callable) -> None:
    """Of three captures with 3 pairs each, the first cannot be placed, and the others are without error."""
    fails = iter([True, True, False, False, False, False])

    def estimate(photographs: list[Photograph]) -> PoseEstimate:
        if next(fails):
            raise PoseError("no two photographs match", hint="take them closer together")
        return placed(on_a_line(*[0.0] * len(photographs)), *range(len(photographs)))

    found = figures(3, 3, estimate)
    assert [row["capture_auc_10"] for row in found["scenes"]] == [0, 1, 1]
    assert found["scenes"][0]["failed"] == "no two photographs match"
    assert found["summary"]["scenes"]["pooled_rra_15"] == found["summary"]["pairs"]["pooled_rra_15"] == 0.667
    assert found["summary"]["scenes"]["complete"] == 2


def test_the_larger_of_rotation_and_translation_error_counts(figures: Callable) -> None:
    """Both cameras turned alike: the rotation between them is right, the direction from one to the other is not."""
    found = figures(1, 2, lambda photographs: placed(on_a_line(90.0, 90.0), 0, 1))
    (row,) = found["pairs"]
    assert (row["rotation_deg"], row["translation_deg"]) == (0, 90)
    assert (row["capture_rra_15"], row["capture_rta_15"], row["capture_auc_20"]) == (1, 0, 0)
