import math

import pytest
import torch

from recon.errors import GeometryError, InputError
from recon.geometry.frames import UP_IN_FRAME, estimate_up, parse_direction, turn_up
from recon.geometry.se3 import invert_rigid, rigid, rotation_from_quat
from recon.types import Cameras


def vector(*values: float) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.tensor(values, dtype=torch.float64), dim=0)


def about(axis: str, degrees: torch.Tensor) -> torch.Tensor:
    half = torch.deg2rad(degrees.double()) / 2
    quat = torch.zeros(len(half), 4, dtype=torch.float64)
    quat[:, 0], quat[:, "wxyz".index(axis)] = half.cos(), half.sin()
    return rotation_from_quat(quat)


def held_by_a_person(pan, tilt, roll) -> Cameras:
    """Cameras of a world with up = -y that look along z, then are rolled, tilted and panned, in degrees."""
    rotation = about("y", pan) @ about("x", tilt) @ about("z", roll)
    num = len(rotation)
    K = torch.eye(3).repeat(num, 1, 1)
    return Cameras(invert_rigid(rigid(rotation, torch.zeros(num, 3))).float(), K, torch.ones(num, 2, dtype=torch.long))


def degrees_between(a: torch.Tensor, b: torch.Tensor) -> float:
    return math.degrees(math.acos(min(1.0, float(a @ b))))


def test_up_is_found_though_all_cameras_look_down(generator):
    pan = torch.linspace(-90, 90, 12)
    cameras = held_by_a_person(pan, torch.full((12,), -25.0), 1.5 * torch.randn(12, generator=generator))
    assert degrees_between(estimate_up(cameras), vector(0, -1, 0)) < 2
    mean = torch.nn.functional.normalize(-cameras.world_from_cam[:, :3, 1].double().mean(0), dim=0)
    assert degrees_between(mean, vector(0, -1, 0)) > 10


def test_cameras_that_look_one_way_leave_the_mean_of_their_upper_edges():
    cameras = held_by_a_person(torch.zeros(4), torch.tensor([-10.0, -12, -8, -10]), torch.zeros(4))
    assert degrees_between(estimate_up(cameras), -cameras.world_from_cam[0, :3, 1].double()) < 0.1


def test_photographs_taken_straight_down_do_not_tell_what_is_up():
    ring = held_by_a_person(torch.arange(8) * 45.0, torch.full((8,), -90.0), torch.zeros(8))
    with pytest.raises(GeometryError, match="which way is up") as caught:
        estimate_up(ring)
    assert "--up" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "direction"),
    [("+y", (0, 1, 0)), ("-z", (0, 0, -1)), ("0,0,2", (0, 0, 1)), ("1, 1,0", (1, 1, 0)), ("-0.5,0,0", (-1, 0, 0))],
)
def test_directions_in_words(text, direction):
    torch.testing.assert_close(parse_direction(text), vector(*direction))


@pytest.mark.parametrize("text", ["", "y", "up", "0,0,0", "1,2", "1,2,3,4", "nan,0,1", "inf,0,0", "1;2;3"])
def test_words_that_are_no_direction(text):
    with pytest.raises(InputError, match="no direction"):
        parse_direction(text)


@pytest.mark.parametrize("frame", UP_IN_FRAME)
def test_up_goes_where_the_frame_has_it_by_a_proper_rotation(frame, generator):
    target = vector(*UP_IN_FRAME[frame])
    axes = [vector(*a) for a in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))]
    for up in axes + [vector(*torch.randn(3, generator=generator).tolist()) for _ in range(50)]:
        turn = turn_up(up, target)
        torch.testing.assert_close(turn @ up, target, atol=1e-12, rtol=0)
        torch.testing.assert_close(turn @ turn.T, torch.eye(3, dtype=torch.float64), atol=1e-12, rtol=0)
        assert float(torch.linalg.det(turn)) > 0


def test_opencv_axes_become_those_of_the_other_programs():
    up = vector(0, -1, 0)
    opengl = torch.tensor([[1.0, 0, 0], [0, -1, 0], [0, 0, -1]], dtype=torch.float64)
    blender = torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]], dtype=torch.float64)
    torch.testing.assert_close(turn_up(up, vector(0, 1, 0)), opengl, atol=1e-15, rtol=0)
    torch.testing.assert_close(turn_up(up, vector(0, 0, 1)), blender, atol=1e-15, rtol=0)


@pytest.mark.parametrize("frame", UP_IN_FRAME)
def test_a_world_that_is_upright_stays_as_it_is(frame):
    target = vector(*UP_IN_FRAME[frame])
    torch.testing.assert_close(turn_up(target, target), torch.eye(3, dtype=torch.float64), atol=1e-15, rtol=0)


def test_a_nearly_upright_opencv_world_keeps_x_right_in_every_frame():
    for frame in UP_IN_FRAME.values():
        turn = turn_up(vector(0.02, -1, 0.03), vector(*frame))
        assert degrees_between(turn @ vector(1, 0, 0), vector(1, 0, 0)) < 2.5
