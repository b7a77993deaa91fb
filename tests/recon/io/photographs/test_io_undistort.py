from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch

from recon.errors import GeometryError, InputError, PoseError
from recon.geometry.projection import project
from recon.io.photographs.poses_to_views import pose_views
from recon.io.photographs.undistort import undistort
from recon.types import Cameras, Photograph, PoseEstimate, PoseReport

WIDTH, HEIGHT = 320, 240
K = torch.tensor([[250.0, 0, 165.0], [0, 260.0, 118.0], [0, 0, 1]])
LENSES = [(-0.25, 0.06, 0.0, 0.0), (0.2, 0.0, 0.0, 0.0), (-0.1, 0.0, 0.004, -0.006)]
POINTS = torch.tensor([[0.0, 0.0, 1.0], [0.3, 0.2, 1.0], [-0.35, 0.25, 1.0], [0.2, -0.3, 1.0]])


def spots_through_lens(lens: tuple[float, ...]) -> Photograph:
    """White spots where OpenCV projects `POINTS` through the lens; OpenCV counts from the first pixel's centre."""
    K_cv = K.double().numpy() - np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])
    pixels, _ = cv2.projectPoints(POINTS.double().numpy(), np.zeros(3), np.zeros(3), K_cv, np.array(lens))
    y, x = np.meshgrid(np.arange(HEIGHT), np.arange(WIDTH), indexing="ij")
    image = sum(np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * 2.5**2)) for u, v in pixels[:, 0])
    return Photograph("x", np.repeat((image * 240).round().clip(0, 255).astype(np.uint8)[..., None], 3, 2), (640, 480))


def centroids_near(image: np.ndarray, positions: torch.Tensor) -> torch.Tensor:
    y, x = np.meshgrid(np.arange(image.shape[0]) + 0.5, np.arange(image.shape[1]) + 0.5, indexing="ij")
    found = []
    for u, v in positions.tolist():
        near = (np.hypot(x - u, y - v) < 9) * np.clip(image.astype(float) - 5, 0, None)
        found.append([(near * x).sum() / near.sum(), (near * y).sum() / near.sum()])
    return torch.tensor(found, dtype=torch.float32)


@pytest.mark.parametrize("lens", LENSES)
def test_points_lie_where_the_new_pinhole_projects_them(lens: tuple[float, ...]):
    photograph, new_K = undistort(spots_through_lens(lens), K, torch.tensor(lens))
    expected, _ = project(POINTS, torch.eye(4), new_K)
    assert torch.allclose(centroids_near(photograph.pixels[..., 0], expected), expected, atol=0.06)
    assert photograph.focal_px == float(new_K[0, 0])
    assert photograph.original_size == (640, 480)


@pytest.mark.parametrize("lens", LENSES)
def test_no_pixel_comes_from_outside(lens: tuple[float, ...]):
    white = Photograph("x", np.full((HEIGHT, WIDTH, 3), 255, np.uint8), (WIDTH, HEIGHT))
    photograph, new_K = undistort(white, K, torch.tensor(lens))
    assert photograph.size == (WIDTH, HEIGHT)
    corners = torch.tensor([[0.0, 0], [WIDTH, 0], [0, HEIGHT], [WIDTH, HEIGHT]])
    rays = torch.linalg.solve(new_K, torch.cat([corners, torch.ones(4, 1)], 1).T).T
    source, _ = cv2.projectPoints(rays.double().numpy(), np.zeros(3), np.zeros(3), K.double().numpy(), np.array(lens))
    assert (source >= -1.5).all()
    assert (source[:, 0] <= np.array([WIDTH, HEIGHT]) + 1.5).all()


def test_no_distortion_changes_nothing(picture: Callable[[int, int], np.ndarray]):
    photograph = Photograph("x", picture(20, 10), (20, 10), focal_px=12.0)
    same, same_K = undistort(photograph, K, torch.zeros(4))
    assert same is photograph
    assert same_K is K


@pytest.mark.parametrize("lens", [(-5.0, 0.0, 0.0, 0.0), (0.0, -80.0, 0.0, 0.0), (1e6, 0.0, 0.0, 0.0)])
def test_impossible_lens_is_refused(lens: tuple[float, ...]):
    black = Photograph("lens.jpg", np.zeros((HEIGHT, WIDTH, 3), np.uint8), (WIDTH, HEIGHT))
    with pytest.raises(GeometryError, match=r"lens\.jpg.*folds"):
        undistort(black, K, torch.tensor(lens))


def estimate_for(photographs: list[Photograph], registered: tuple[int, ...], lenses: list[tuple[float, ...]]):
    num = len(registered)
    sizes = torch.tensor([photographs[i].size for i in registered], dtype=torch.int64).reshape(num, 2)
    cameras = Cameras(torch.eye(4).expand(num, 4, 4).clone(), K.expand(num, 3, 3).clone(), sizes)
    distortion = torch.tensor(lenses).reshape(num, 4)
    return PoseEstimate("sfm", registered, cameras, distortion, torch.zeros(0, 3), PoseReport("test"))


def test_posed_photographs_become_views_with_exact_cameras():
    """Photographs without a pose are left out; the points of both lenses lie where the canvas cameras project them."""
    photographs = [spots_through_lens(lens) for lens in LENSES]
    photographs = [Photograph(f"{i}.jpg", p.pixels, p.original_size) for i, p in enumerate(photographs)]
    views = pose_views(photographs, estimate_for(photographs, (0, 2), [LENSES[0], LENSES[2]]), resolution=256)
    assert views.names == ("0.jpg", "2.jpg")
    assert (views.width, views.height) == (256, 192)
    assert views.cameras is not None
    for image, pose, matrix in zip(views.images, views.cameras.cam_from_world, views.cameras.K, strict=True):
        expected, _ = project(POINTS, pose, matrix)
        grey = (image[0] * 255).numpy()
        assert torch.allclose(centroids_near(grey, expected), expected, atol=0.08)


def test_no_pose_at_all_and_poses_of_other_photographs():
    photographs = [spots_through_lens(LENSES[0])]
    with pytest.raises(PoseError, match="none of 1"):
        pose_views(photographs, estimate_for(photographs, (), []), resolution=64)
    other = [Photograph("x", np.zeros((10, 10, 3), np.uint8), (10, 10))]
    with pytest.raises(InputError, match="other sizes"):
        pose_views(other, estimate_for(photographs, (0,), [LENSES[0]]), resolution=64)
