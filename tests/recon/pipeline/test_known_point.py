"""From a known point in the world to its mark in the exported picture, and back to the photograph on disk."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from recon.io.colmap import ColmapCamera, ColmapImage, ColmapModel, write_model
from recon.io.export import export_transforms
from recon.io.limits import Limits
from recon.io.photographs.poses_to_views import pose_views
from recon.pipeline.loading import open_source
from recon.types import Gaussians, Provenance, Scene

# The stored picture lies; EXIF orientation 6 says that a quarter turn clockwise makes it upright.
WIDTH, HEIGHT, ORIENTATION = 960, 720, 6
K = np.array([[800.0, 0, 470.0], [0, 820.0, 371.0], [0, 0, 1]])  # of the stored picture, first pixel's centre at 0.5
LENS = np.array([-0.18, 0.05, 0.003, -0.004])
POINTS = np.array([[0.1, 0.2, 4.0], [-0.9, 0.7, 4.2], [0.8, -0.9, 3.8], [1.2, 0.8, 4.5], [-1.0, -0.8, 4.0]])
POSES = [((0.05, -0.1, 0.02), (0.1, 0.0, 0.2)), ((-0.1, 0.15, -0.3), (-0.3, 0.1, 0.1))]  # Rodrigues vector, t


def marks(pose: tuple[tuple[float, ...], tuple[float, ...]]) -> np.ndarray:
    """Where the lens draws the points in the stored picture; OpenCV counts from the centre of the first pixel."""
    K_cv = K - np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])
    pixels, _ = cv2.projectPoints(POINTS, np.array(pose[0]), np.array(pose[1]), K_cv, LENS)
    return pixels[:, 0] + 0.5


def save_photograph(path: Path, positions: np.ndarray) -> None:
    y, x = np.meshgrid(np.arange(HEIGHT) + 0.5, np.arange(WIDTH) + 0.5, indexing="ij")
    image = sum(np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * 6.0**2)) for u, v in positions)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = ORIENTATION
    grey = Image.fromarray((np.clip(image, 0, 1) * 240).round().astype(np.uint8))
    grey.convert("RGB").save(path, quality=97, exif=exif)


def upright(position: np.ndarray) -> np.ndarray:
    """A quarter turn clockwise: the left edge becomes the upper one."""
    return np.stack([HEIGHT - position[:, 1], position[:, 0]], axis=1)


def centroid_near(image: np.ndarray, position: np.ndarray, radius: float) -> np.ndarray:
    y, x = np.meshgrid(np.arange(image.shape[0]) + 0.5, np.arange(image.shape[1]) + 0.5, indexing="ij")
    weight = (np.hypot(x - position[0], y - position[1]) < radius) * np.clip(image.astype(float) - 8, 0, None)
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


def as_colmap(folder: Path) -> None:
    """COLMAP ignores EXIF, so its cameras are those of the stored pictures."""
    (folder / "sparse/0").mkdir(parents=True)
    parameters = (K[0, 0], K[1, 1], K[0, 2], K[1, 2], *LENS)
    camera = ColmapCamera("OPENCV", (WIDTH, HEIGHT), tuple(float(value) for value in parameters))
    images = {}
    for i, (rotation, translation) in enumerate(POSES):
        angle = float(np.linalg.norm(rotation))
        x, y, z = (np.sin(angle / 2) * np.array(rotation) / angle).tolist()
        images[i + 1] = ColmapImage(f"{i}.jpg", 1, (float(np.cos(angle / 2)), x, y, z), translation)
    write_model(folder / "sparse/0", ColmapModel({1: camera}, images, POINTS, np.zeros((5, 3), np.uint8)))


def as_transforms(folder: Path) -> None:
    """Cameras of the upright pictures, worked out by hand: axes (x, y) there are (-y, x) here."""
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    frames = []
    for i, (rotation, translation) in enumerate(POSES):
        cam_from_world = np.eye(4)
        cam_from_world[:3, :3] = turn @ cv2.Rodrigues(np.array(rotation))[0]
        cam_from_world[:3, 3] = turn @ np.array(translation)
        opengl = np.linalg.inv(cam_from_world) @ np.diag([1, -1, -1, 1])
        frames.append({"file_path": f"images/{i}.jpg", "transform_matrix": opengl.tolist()})
    fields = {"w": HEIGHT, "h": WIDTH, "fl_x": K[1, 1], "fl_y": K[0, 0], "cx": HEIGHT - K[1, 2], "cy": K[0, 2]}
    k1, k2, p1, p2 = LENS
    fields |= {"k1": k1, "k2": k2, "p1": p2, "p2": -p1, "frames": frames}
    (folder / "transforms.json").write_text(json.dumps(fields))


@pytest.fixture(params=[as_colmap, as_transforms])
def capture(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    (tmp_path / "in/images").mkdir(parents=True)
    for i, pose in enumerate(POSES):
        save_photograph(tmp_path / f"in/images/{i}.jpg", marks(pose))
    request.param(tmp_path / "in")
    return tmp_path / "in"


def load_and_export(capture: Path, out: Path) -> Scene:
    """The pipeline's way without a network, with photographs that are reduced in memory."""
    source = open_source(capture, limits=Limits(max_long_side=700))
    assert source.given is not None
    views = pose_views(source.photographs, source.given, resolution=384)
    nothing = Gaussians(
        torch.zeros(1, 3), torch.ones(1, 3), torch.tensor([[1.0, 0, 0, 0]]), torch.ones(1), torch.zeros(1, 1, 3)
    )
    scene = Scene(views, nothing, Provenance("none", "0" * 64, "given", {}, {}, 0))
    out.mkdir()
    export_transforms(scene, out)
    return scene


def test_known_points_lie_on_their_marks_in_the_exported_pictures(capture: Path, tmp_path: Path):
    load_and_export(capture, tmp_path / "out")
    frames = json.loads((tmp_path / "out/transforms.json").read_text())["frames"]
    worst = 0.0
    for frame in frames:
        cam_from_world = np.diag([1, -1, -1, 1]) @ np.linalg.inv(np.array(frame["transform_matrix"]))
        in_camera = POINTS @ cam_from_world[:3, :3].T + cam_from_world[:3, 3]
        focal, center = (frame["fl_x"], frame["fl_y"]), (frame["cx"], frame["cy"])
        expected = in_camera[:, :2] / in_camera[:, 2:] * focal + center
        image = np.asarray(Image.open(tmp_path / "out" / frame["file_path"]))[..., 0]
        assert image.shape == (frame["h"], frame["w"])
        for position in expected:
            worst = max(worst, float(np.abs(centroid_near(image, position, 8) - position).max()))
    assert len(frames) == 2
    assert worst < 0.25


def test_exported_points_come_from_their_place_in_the_photograph(capture: Path, tmp_path: Path):
    """Back through `crop_from_original`, and through the lens, to the upright photograph on disk."""
    views = load_and_export(capture, tmp_path / "out").views
    assert views.cameras is not None
    lens = np.array([LENS[0], LENS[1], LENS[3], -LENS[2]])  # of the upright picture
    upright_K = np.array([[K[1, 1], 0, HEIGHT - K[1, 2]], [0, K[0, 0], K[0, 2]], [0, 0, 1]])
    worst = 0.0
    for i, pose in enumerate(POSES):
        assert views.original_size[i].tolist() == [HEIGHT, WIDTH]
        pinhole = torch.linalg.solve(views.crop_from_original[i].double(), views.cameras.K[i].double()).numpy()
        cam_from_world = views.cameras.cam_from_world[i].double().numpy()
        in_camera = POINTS @ cam_from_world[:3, :3].T + cam_from_world[:3, 3]
        undistorted = (in_camera / in_camera[:, 2:]) @ pinhole.T
        rays = undistorted @ np.linalg.inv(pinhole).T
        found, _ = cv2.projectPoints(rays, np.zeros(3), np.zeros(3), upright_K, lens)
        worst = max(worst, float(np.abs(found[:, 0] - upright(marks(pose))).max()))
    assert worst < 0.1


def test_given_points_are_the_known_points(capture: Path):
    source = open_source(capture)
    assert source.given is not None
    if "COLMAP" in source.kind:
        assert torch.allclose(source.given.points, torch.from_numpy(POINTS).float())
    else:
        assert len(source.given.points) == 0
