from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.errors import InputError
from recon.geometry.projection import project
from recon.io.photographs.canvas import center_crop_square, to_view_set
from recon.types import Cameras, Photograph, ViewSet

Picture = Callable[[int, int], np.ndarray]
POINT = torch.tensor([[0.11, -0.07, 1.0]])


def blank(width: int, height: int, name: str = "x", value: int = 200, shrink: int = 1) -> Photograph:
    pixels = np.full((height, width, 3), value, np.uint8)
    return Photograph(name, pixels, (width * shrink, height * shrink))


def camera_of(photograph: Photograph) -> Cameras:
    """A camera at the origin with unequal focal lengths and an eccentric principal point."""
    width, height = photograph.size
    K = torch.tensor([[[1.1 * width, 0, 0.47 * width], [0, 1.2 * width, 0.52 * height], [0, 0, 1]]])
    return Cameras(torch.eye(4)[None], K, torch.tensor([[width, height]]))


def joined(cameras: list[Cameras]) -> Cameras:
    return Cameras(*(torch.cat([getattr(c, f) for c in cameras]) for f in ("cam_from_world", "K", "size")))


def spot_at(width: int, height: int, position: torch.Tensor, radius: float) -> np.ndarray:
    """A bright spot whose centroid is at `position`."""
    y, x = np.meshgrid(np.arange(height) + 0.5, np.arange(width) + 0.5, indexing="ij")
    square = (x - float(position[0])) ** 2 + (y - float(position[1])) ** 2
    return np.repeat(np.round(250 * np.exp(-square / (2 * radius**2))).astype(np.uint8)[..., None], 3, axis=2)


def centroid(image: torch.Tensor) -> torch.Tensor:
    weight = (image.mean(0) - 0.02).clamp(min=0)
    y, x = torch.meshgrid(torch.arange(image.shape[1]) + 0.5, torch.arange(image.shape[2]) + 0.5, indexing="ij")
    return torch.stack([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


SIZES = [(640, 360), (360, 640), (401, 299), (97, 123)]


def assert_point_is_drawn_where_it_projects(views: ViewSet, point: torch.Tensor):
    assert views.cameras is not None
    for i in range(len(views)):
        projected, _ = project(point, views.cameras.cam_from_world[i], views.cameras.K[i])
        assert torch.allclose(centroid(views.images[i]), projected[0], atol=0.05), views.names[i]


@pytest.mark.parametrize(
    "make", [lambda p, c: to_view_set(p, resolution=192, cameras=c), lambda p, c: center_crop_square(p, 128, cameras=c)]
)
def test_a_known_point_projects_to_where_it_is_drawn(make: Callable[[list[Photograph], Cameras], ViewSet]):
    photographs, cameras = [], []
    for size in SIZES:
        photograph = blank(*size, name=f"{size}")
        camera = camera_of(photograph)
        position, _ = project(POINT, camera.cam_from_world[0], camera.K[0])
        photographs.append(Photograph(f"{size}", spot_at(*size, position[0], max(size) / 40), size))
        cameras.append(camera)
    assert_point_is_drawn_where_it_projects(make(photographs, joined(cameras)), POINT)


def test_portrait_and_landscape_meet_on_a_square_at_one_scale():
    views = to_view_set([blank(300, 200, "lying"), blank(200, 300, "upright")], resolution=96, multiple=16)
    assert (views.width, views.height) == (96, 96)
    assert (views.masks[0].any(1).sum(), views.masks[0].any(0).sum()) == (64, 96)
    assert torch.equal(views.masks[0], views.masks[1].T)
    assert torch.allclose(views.crop_from_original[:, 0, 0], torch.tensor([0.32, 0.32]))


def test_outside_the_mask_the_edge_is_repeated(picture: Picture):
    lying = Photograph("lying", picture(64, 32), (64, 32))
    views = to_view_set([lying, blank(32, 64, "upright")], resolution=64, multiple=16)
    image, rows = views.images[0], views.masks[0].any(1).nonzero().flatten()
    assert (rows[0], rows[-1]) == (16, 47)
    assert torch.equal(image[:, :16], image[:, 16:17].expand(-1, 16, -1))
    assert torch.equal(image[:, 48:], image[:, 47:48].expand(-1, 16, -1))


def test_photograph_of_the_size_of_the_canvas_is_untouched(picture: Picture):
    views = to_view_set([Photograph("x", picture(64, 48), (64, 48))], resolution=64)
    assert torch.equal((views.images[0] * 255).round().byte().permute(1, 2, 0), torch.from_numpy(picture(64, 48)))
    assert torch.equal(views.crop_from_original[0], torch.eye(3))
    assert views.masks.all()


def test_reduction_does_not_alias():
    """Fine stripes become their mean grey, not broad stripes."""
    stripes = np.zeros((300, 300, 3), np.uint8)
    stripes[:, ::2] = 255
    views = to_view_set([Photograph("x", stripes, (300, 300))], resolution=64)
    assert (views.images[0, :, 4:-4, 4:-4] - 0.5).abs().max() < 0.02


side = st.integers(1, 700)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(side, side), min_size=1, max_size=3), st.integers(16, 160), st.sampled_from([1, 8, 16]))
def test_canvas_holds_every_photograph_whole(sizes: list[tuple[int, int]], resolution: int, multiple: int):
    photographs = [blank(w, h, f"{i}") for i, (w, h) in enumerate(sizes)]
    views = to_view_set(photographs, resolution=resolution, multiple=multiple)
    assert views.width % multiple == views.height % multiple == 0
    assert abs(max(views.width, views.height) - resolution) <= multiple / 2
    for (w, h), mask, crop in zip(sizes, views.masks, views.crop_from_original, strict=True):
        corners = crop @ torch.tensor([[0.0, 0.0, 1.0], [w, h, 1.0]]).T
        top_left, bottom_right = corners[:2, 0], corners[:2, 1]
        rows, columns = mask.any(1).nonzero().flatten(), mask.any(0).nonzero().flatten()
        shown = torch.tensor([[columns[0], rows[0]], [columns[-1] + 1, rows[-1] + 1]]).float()
        tolerance = 0.5 + 1e-3
        assert (top_left - shown[0]).abs().max() <= tolerance
        assert (bottom_right - shown[1]).abs().max() <= tolerance
        if min(w, h) * max(views.width, views.height) > 2 * max(w, h):  # not thinner than a canvas pixel
            assert crop[0, 0] == pytest.approx(float(crop[1, 1]), rel=1e-5)


def test_crop_starts_from_the_pixels_of_the_file():
    full, reduced = blank(640, 360, "full"), blank(160, 90, "reduced", shrink=4)
    views = to_view_set([full, reduced], resolution=160, cameras=joined([camera_of(full), camera_of(reduced)]))
    assert torch.allclose(views.crop_from_original[0], views.crop_from_original[1])
    assert views.cameras is not None
    assert torch.allclose(views.cameras.K[1], views.crop_from_original[1] @ camera_of(full).K[0], atol=1e-3)
    assert views.cameras.size.tolist() == [[160, 96], [160, 96]]


def test_square_crop_follows_the_evaluation_protocol(picture: Picture):
    """360 x 640 becomes 256 x 455, of which the central 256 columns stay; here at a quarter of that."""
    photograph = Photograph("x", picture(160, 90), (160, 90))
    views = center_crop_square([photograph], 64, cameras=camera_of(photograph))
    width = round(160 * 64 / 90)
    cut = (width - 64) // 2
    assert (views.width, views.height) == (64, 64)
    assert views.masks.all()
    expected = torch.tensor([[width / 160, 0, -cut], [0, 64 / 90, 0], [0, 0, 1]])
    assert torch.allclose(views.crop_from_original[0], expected)
    assert views.cameras is not None
    assert torch.allclose(views.cameras.K[0], expected @ camera_of(photograph).K[0])


def test_wrong_use_is_told():
    with pytest.raises(InputError, match="0 photographs"):
        to_view_set([], resolution=64)
    with pytest.raises(InputError, match="resolution 0"):
        to_view_set([blank(4, 4)], resolution=0)
    with pytest.raises(InputError, match="size 0"):
        center_crop_square([blank(4, 4)], 0)
    with pytest.raises(InputError, match="cameras are made for sizes"):
        to_view_set([blank(8, 8)], resolution=64, cameras=camera_of(blank(8, 9)))
    with pytest.raises(InputError, match="distinct names"):
        to_view_set([blank(8, 8), blank(8, 8)], resolution=64)
