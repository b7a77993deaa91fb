"""The sample capture that is shipped, against its true cameras."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from recon.data.rooms.sample import NUM_VIEWS, SIZE, SampleRoom, cameras, light_everywhere, transforms_json
from recon.types import Cameras

SAMPLE = Path(__file__).parents[4] / "datasets" / "sample"


@pytest.fixture
def truth(fixtures: Path) -> dict:
    return json.loads((fixtures / "sample_cameras.json").read_text())


def matches(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixel positions (centres at +0.5) of mutual SIFT matches."""
    sift = cv2.SIFT_create(1500)
    (key_a, words_a), (key_b, words_b) = (sift.detectAndCompute(image, None) for image in (first, second))
    found = cv2.BFMatcher(crossCheck=True).match(words_a, words_b)
    found = sorted(found, key=lambda m: m.distance)[:300]
    return (
        np.array([key_a[m.queryIdx].pt for m in found]) + 0.5,
        np.array([key_b[m.trainIdx].pt for m in found]) + 0.5,
    )


def test_the_photographs_are_small_jpegs_without_exif(truth: dict):
    paths = sorted(SAMPLE.glob("*.jpg"))
    assert [p.name for p in paths] == [f["file_path"] for f in truth["frames"]]
    assert len(paths) == NUM_VIEWS
    assert sum(p.stat().st_size for p in paths) < 2.5e6
    for path in paths:
        with Image.open(path) as image:
            assert image.size == SIZE
            assert not image.getexif()


def test_the_true_cameras_are_those_of_the_renderer(truth: dict):
    names = [f["file_path"] for f in truth["frames"]]
    made = transforms_json(cameras(), names)
    assert {k: v for k, v in made.items() if k != "frames"} == {k: v for k, v in truth.items() if k != "frames"}
    for a, b in zip(made["frames"], truth["frames"], strict=True):
        assert np.allclose(a["transform_matrix"], b["transform_matrix"], atol=1e-6)


def test_matches_of_neighbours_lie_on_the_epipolar_lines_of_the_true_cameras(truth: dict):
    grays = [cv2.imread(str(SAMPLE / truth["frames"][i]["file_path"]), cv2.IMREAD_GRAYSCALE) for i in (2, 4)]
    a, b = matches(*grays)
    K = np.array([[truth["fl_x"], 0, truth["cx"]], [0, truth["fl_y"], truth["cy"]], [0, 0, 1]])
    first, second = (
        np.linalg.inv(np.array(truth["frames"][i]["transform_matrix"]) @ np.diag([1, -1, -1, 1])) for i in (2, 4)
    )
    relative = second @ np.linalg.inv(first)
    t = relative[:3, 3]
    skew = np.array([[0, -t[2], t[1]], [t[2], 0, -t[0]], [-t[1], t[0], 0]])
    fundamental = np.linalg.inv(K).T @ skew @ relative[:3, :3] @ np.linalg.inv(K)
    lines = np.column_stack([a, np.ones(len(a))]) @ fundamental.T
    distance = np.abs((lines * np.column_stack([b, np.ones(len(b))])).sum(1)) / np.linalg.norm(lines[:, :2], axis=1)
    assert np.median(distance) < 0.5
    assert (distance < 2).mean() > 0.8


def test_cameras_of_the_sample_are_valid_and_stand_free_in_the_room(small_library):
    views = cameras()
    world = SampleRoom(small_library).build()
    assert world.distance(np.stack([v.center for v in views]).astype(np.float32)).min() > 0.3
    poses = torch.from_numpy(np.stack([v.cam_from_world for v in views])).float()
    size = torch.tensor([SIZE] * len(views))
    Cameras(poses, torch.from_numpy(np.stack([v.K for v in views])).float(), size).validate()


def test_light_reaches_the_surfaces_that_the_sample_shows(small_library):
    world = SampleRoom(small_library).build()
    small = [replace(v, K=v.K / 10 + np.diag([0, 0, 0.9]), size=(80, 60)) for v in cameras()[:1]]
    light = light_everywhere(world, small)
    assert np.isfinite(light).all()
    assert (light >= 0).all()
    assert np.median(light[~world.exterior].mean(1)) > 0.02
