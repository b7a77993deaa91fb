import torch

from recon.geometry.overlap import nearest_to_axes, typical_depths, view_overlap
from recon.geometry.se3 import rigid, rotation_from_vector
from recon.types import Cameras


def cameras_at(centers, turns_deg):
    """Cameras of 90 degrees turned about the vertical, 100 x 100 pixels."""
    turns = torch.zeros(len(centers), 3)
    turns[:, 1] = torch.deg2rad(torch.tensor(turns_deg))
    rotation = rotation_from_vector(turns)
    centers = torch.tensor(centers)
    cam_from_world = rigid(rotation.mT, -(rotation.mT @ centers[..., None])[..., 0])
    K = torch.tensor([[50.0, 0, 50], [0, 50, 50], [0, 0, 1]]).repeat(len(centers), 1, 1)
    return Cameras(cam_from_world, K, torch.full((len(centers), 2), 100))


def ring(num, radius=3.0):
    """Cameras around the origin that look at it."""
    turns = [360.0 * i / num for i in range(num)]
    centers = [[-radius * float(torch.sin(torch.deg2rad(torch.tensor(t)))), 0.0,
                -radius * float(torch.cos(torch.deg2rad(torch.tensor(t))))] for t in turns]  # fmt: skip
    return cameras_at(centers, turns)


def test_a_view_overlaps_itself_whole_and_others_symmetrically():
    cameras = ring(8)
    overlap = view_overlap(cameras, typical_depths(cameras))
    torch.testing.assert_close(overlap, overlap.T)
    assert bool((overlap.diagonal() == 1).all())
    assert bool((overlap >= 0).all())
    assert bool((overlap <= 1).all())


def test_neighbours_on_a_ring_overlap_more_than_opposites():
    cameras = ring(12)
    overlap = view_overlap(cameras, typical_depths(cameras))
    assert float(overlap[0, 1]) > float(overlap[0, 2]) > float(overlap[0, 6])
    assert float(overlap[0, 6]) < 0.05


def test_views_back_to_back_have_nothing_in_common():
    cameras = cameras_at([[0.0, 0, 0], [0.0, 0, 0.1]], [0.0, 180.0])
    assert float(view_overlap(cameras, torch.tensor([2.0, 2.0]))[0, 1]) == 0


def test_cameras_around_a_point_have_its_distance_as_depth():
    cameras = ring(10, radius=4.0)
    torch.testing.assert_close(nearest_to_axes(cameras), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(typical_depths(cameras), torch.full((10,), 4.0), rtol=1e-4, atol=0)


def test_parallel_axes_give_a_depth_from_the_spacing():
    cameras = cameras_at([[0.1 * i, 0.0, 0.0] for i in range(5)], [0.0] * 5)
    torch.testing.assert_close(typical_depths(cameras), torch.full((5,), 0.6), rtol=1e-3, atol=0)


def test_points_tell_the_depth_of_the_views_that_see_them():
    cameras = cameras_at([[0.0, 0, 0], [0.2, 0, 0]], [0.0, 180.0])
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(50, 3, generator=generator) * 0.5 + torch.tensor([-0.25, -0.25, 6.75])
    depths = typical_depths(cameras, points)
    assert abs(float(depths[0]) - 7.0) < 0.1
    assert float(depths[1]) != float(depths[0])
