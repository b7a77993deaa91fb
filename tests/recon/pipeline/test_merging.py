import torch

from recon.geometry.projection import pixel_grid, unproject
from recon.pipeline.merging import already_shown, join, merge
from recon.types import Cameras, Gaussians, ViewSet

SIDE = 24
C0 = 0.28209479177387814


def one_view(image):
    K = torch.tensor([[[24.0, 0, 12], [0, 24.0, 12], [0, 0, 1]]])
    cameras = Cameras(torch.eye(4)[None], K, torch.tensor([[SIDE, SIDE]]))
    masks = torch.ones(1, SIDE, SIDE, dtype=torch.bool)
    return ViewSet(image[None], ("a",), torch.tensor([[SIDE, SIDE]]), torch.eye(3)[None], masks, cameras)


def wall(depth, color, left=0, right=SIDE):
    """Opaque Gaussians, one a pixel, on a plane before the camera."""
    view = one_view(torch.zeros(3, SIDE, SIDE))
    pixels = pixel_grid(SIDE, SIDE)[:, left:right].reshape(1, -1, 2)
    means = unproject(
        pixels, torch.full(pixels.shape[:2], depth), view.posed_cameras.cam_from_world, view.posed_cameras.K
    )
    num = means.shape[1]
    sh = ((torch.tensor(color) - 0.5) / C0).expand(num, 1, 3)
    quats = torch.tensor([[1.0, 0, 0, 0]]).expand(num, 4)
    return Gaussians(means[0], torch.full((num, 3), depth / 24), quats, torch.full((num,), 0.99), sh)


GREY = torch.full((3, SIDE, SIDE), 0.6)


def test_the_first_group_is_the_scene():
    group = wall(2.0, [0.6, 0.6, 0.6])
    assert merge(None, group, one_view(GREY)) is group


def test_what_is_shown_already_is_not_added():
    scene = wall(2.0, [0.6, 0.6, 0.6])
    shown = already_shown(scene, wall(2.02, [0.6, 0.6, 0.6]), one_view(GREY))
    assert float(shown.float().mean()) > 0.95
    assert len(merge(scene, wall(2.02, [0.6, 0.6, 0.6]), one_view(GREY))) < 1.05 * len(scene)


def test_what_is_not_shown_yet_is_added():
    scene = wall(2.0, [0.6, 0.6, 0.6], right=SIDE // 2)
    group = wall(2.0, [0.6, 0.6, 0.6])
    added = group[~already_shown(scene, group, one_view(GREY))]
    assert float(added.means[:, 0].min()) > -0.1
    assert len(added) >= SIDE * (SIDE // 2 - 3)


def test_a_surface_of_wrong_colour_or_depth_hides_nothing():
    group = wall(2.0, [0.6, 0.6, 0.6])
    assert not bool(already_shown(wall(2.0, [0.9, 0.1, 0.1]), group, one_view(GREY)).any())
    assert not bool(already_shown(wall(3.0, [0.6, 0.6, 0.6]), group, one_view(GREY)).any())


def test_joined_gaussians_keep_their_order():
    a, b = wall(2.0, [0.1, 0.1, 0.1]), wall(3.0, [0.2, 0.2, 0.2])
    both = join([a, b])
    assert len(both) == len(a) + len(b)
    torch.testing.assert_close(both[len(a) :].means, b.means)
