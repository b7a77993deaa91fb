import math

import pytest
import torch

from recon.errors import GeometryError
from recon.geometry.projection import project
from recon.geometry.se3 import invert_rigid, rigid, rotation_from_quat
from recon.render.orbits import median_depths, orbit, ring_around, ring_through, spiral, up_for_paths
from recon.types import Cameras, Gaussians

UP = torch.tensor([0.0, -1, 0], dtype=torch.float64)
SIZE = (64, 48)


def ball(generator: torch.Generator, centre=(0.0, 0, 0), num: int = 400) -> Gaussians:
    means = torch.randn(num, 3, generator=generator) * 0.2 + torch.tensor(centre)
    quats = torch.tensor([[1.0, 0, 0, 0]]).expand(num, 4)
    return Gaussians(means, torch.full((num, 3), 0.05), quats, torch.full((num,), 0.9), torch.zeros(num, 1, 3))


def around(azimuths_deg, radius: float = 3.0, height: float = 1.0) -> Cameras:
    """Cameras on a level circle about the origin of a world with up = -y, looking at its middle."""
    angle = torch.deg2rad(torch.as_tensor(azimuths_deg, dtype=torch.float64))
    centres = torch.stack([radius * angle.sin(), torch.full_like(angle, -height), -radius * angle.cos()], dim=-1)
    forward = torch.nn.functional.normalize(-centres, dim=-1)
    right = torch.nn.functional.normalize(torch.linalg.cross(forward, UP.expand_as(forward)), dim=-1)
    rotation = torch.stack([right, torch.linalg.cross(forward, right), forward], dim=-1)
    num = len(angle)
    K = torch.tensor([[50.0, 0, 32], [0, 50, 24], [0, 0, 1]]).repeat(num, 1, 1)
    return Cameras(invert_rigid(rigid(rotation, centres)).float(), K, torch.tensor([SIZE] * num))


def test_an_orbit_goes_where_cameras_stand_all_around(generator):
    cameras = around(range(0, 360, 30))
    ring = ring_through(cameras, ball(generator), UP)
    assert ring.sweep is None
    path = orbit(ring, 90, cameras.K[0], cameras.size[0]).validate()
    assert float(torch.cdist(cameras.centers, path.centers).min(1).values.max()) < 0.25
    pixels, depth = project(ring.focus.expand(90, 1, 3).float(), path.cam_from_world, path.K)
    torch.testing.assert_close(pixels[:, 0], torch.tensor([32.0, 24]).expand(90, 2), atol=1e-3, rtol=0)
    assert float(depth.min()) > 2
    right = path.world_from_cam[:, :3, 0].double() @ UP
    assert float(right.abs().max()) < 1e-6


def test_an_orbit_stays_in_front_of_a_scene_seen_from_one_side(generator):
    cameras = around([-40, -10, 5, 35])
    path = orbit(ring_through(cameras, ball(generator), UP), 40, cameras.K[0], cameras.size[0])
    azimuth = torch.rad2deg(torch.atan2(path.centers[:, 0], -path.centers[:, 2]))
    assert -45 < float(azimuth.min()) < -35
    assert 30 < float(azimuth.max()) < 40
    assert float((path.centers[1:] - path.centers[:-1]).norm(dim=-1).max()) < 0.35
    assert float((path.centers[0] - path.centers[-1]).norm()) < 0.3


def test_cameras_straight_above_have_no_orbit(generator):
    above = around([0, 90, 180, 270], radius=1e-6, height=3.0)
    with pytest.raises(GeometryError, match="no circle"):
        ring_through(above, ball(generator), UP)


def test_gaussians_without_cameras_are_seen_whole(generator):
    gaussians = ball(generator, centre=(5.0, -2, 1))
    K = torch.tensor([[50.0, 0, 32], [0, 50, 24], [0, 0, 1]])
    path = orbit(ring_around(gaussians, UP), 12, K, torch.tensor(SIZE)).validate()
    pixels, depth = project(gaussians.means.expand(12, -1, 3), path.cam_from_world, path.K)
    inside = ((pixels > 0) & (pixels < torch.tensor(SIZE))).all(-1) & (depth > 0)
    assert float(inside.float().mean()) > 0.98
    assert float((path.centers[:, 1] - gaussians.means[:, 1].mean()).max()) < 0  # looks down on them


def test_a_spiral_is_a_small_loop_that_looks_ahead(generator):
    cameras = around([-12, -4, 4, 12])
    gaussians = ball(generator)
    path = spiral(cameras, gaussians, 80).validate()
    assert len(path) == 80
    middle = cameras.centers.mean(0)
    assert 0.05 < float((path.centers - middle).norm(dim=-1).max()) < 1.0
    assert float((path.centers - path.centers.roll(-1, 0)).norm(dim=-1).max()) < 0.2
    pixels, _ = project(torch.zeros(80, 1, 3), path.cam_from_world, path.K)
    assert float((pixels[:, 0] - torch.tensor([32.0, 24])).abs().max()) < 6


def test_depth_is_that_of_what_is_seen(generator):
    cameras, gaussians = around([0, 90], radius=4.0, height=0.0), ball(generator)
    torch.testing.assert_close(median_depths(gaussians, cameras), torch.full((2,), 4.0).double(), atol=0.1, rtol=0)
    with pytest.raises(GeometryError, match="no camera sees"):
        median_depths(ball(generator, centre=(0.0, 500, 0)), cameras)


def test_up_is_what_is_known_then_what_cameras_tell_then_opencv():
    torch.testing.assert_close(up_for_paths(None, (0.0, 0.0, 2.0)), torch.tensor([0, 0, 1.0], dtype=torch.float64))
    torch.testing.assert_close(up_for_paths(None, None), UP)
    assert float(up_for_paths(around([0, 60, 120]), None) @ UP) > 0.99


def test_photographs_from_above_have_up_towards_the_camera():
    turns = torch.tensor([[math.cos(a / 2), 0, 0, math.sin(a / 2)] for a in (0, math.pi / 2, math.pi, -math.pi / 2)])
    down = around([0.0])
    pose = rigid(rotation_from_quat(turns), torch.zeros(4, 3))
    cameras = Cameras(pose, down.K.expand(4, 3, 3), down.size.expand(4, 2))
    torch.testing.assert_close(up_for_paths(cameras, None), torch.tensor([0, 0, -1.0], dtype=torch.float64))
