import numpy as np
import pytest

from recon.data.rooms.library import TextureLibrary
from recon.data.rooms.paint import RichPaint
from recon.data.rooms.thin import (
    arc_lamp,
    ceiling_fan,
    clothes_stand,
    railing,
    sagging,
    slats,
    spindle_chair,
    tube,
    twigs,
    wire_chair,
)
from recon.data.rooms.world import WorldBuilder


@pytest.fixture
def paint(small_library: TextureLibrary) -> RichPaint:
    return RichPaint(WorldBuilder(), small_library, np.random.default_rng(4))


def points_of(thing) -> np.ndarray:
    return np.concatenate([part.positions for part, _ in thing.parts])


@pytest.mark.parametrize("direction", [(1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0), (1.0, -2.0, 0.5)])
def test_a_straight_tube_is_a_cylinder_in_any_direction(direction):
    axis = np.array(direction) / np.linalg.norm(direction)
    part = tube(np.array([[0, 0, 0], axis, 2 * axis]), 0.05, 12)
    across = part.positions - (part.positions @ axis)[:, None] * axis
    assert np.linalg.norm(across, axis=1) == pytest.approx(0.05, abs=1e-5)
    assert np.einsum("ij,ij->i", across, part.normals) == pytest.approx(0.05, abs=1e-5)


def test_a_wire_hangs_lowest_in_its_middle():
    part = sagging(np.array([0, 0, 3.0]), np.array([8.0, 0, 3.0]), 0.5, 0.01)
    lowest = part.positions[part.positions[:, 2].argmin()]
    assert lowest[2] == pytest.approx(2.5, abs=0.03)
    assert abs(lowest[0] - 4.0) < 0.8


@pytest.mark.parametrize("maker", [wire_chair, spindle_chair, clothes_stand])
def test_thin_furniture_stands_on_the_floor(maker, paint: RichPaint):
    for _ in range(6):
        points = points_of(maker(paint))
        assert points[:, 2].min() == pytest.approx(0, abs=0.03)
        assert 0.75 < points[:, 2].max() < 2.0
        assert np.abs(points[:, :2]).max() < 0.5


def test_an_arc_lamp_reaches_out_and_its_foot_is_on_the_floor(paint: RichPaint):
    points = points_of(arc_lamp(paint))
    assert points[:, 2].min() == pytest.approx(0, abs=0.03)
    assert 1.3 < points[:, 2].max() < 2.8


def test_most_of_a_railing_is_air(paint: RichPaint):
    thing = railing(paint, 3.0, 1.0)
    assert thing.width == pytest.approx(3.0, abs=0.1)
    assert thing.height == pytest.approx(1.0, abs=1e-6)
    builder = paint.builder
    thing.place(builder, (0.0, 0.0, 0.0), 0.0)
    rays = np.zeros((400, 6), np.float32)
    rays[:, 0], rays[:, 2] = np.random.default_rng(0).uniform((-1.4, 0.15), (1.4, 0.9), (400, 2)).T
    rays[:, 1], rays[:, 4] = -1.0, 1.0
    hit = builder.build().occluded(rays, np.inf).mean()
    assert 0.02 < hit < 0.5


@pytest.mark.parametrize("thing", [lambda paint: slats(paint, 1.0, 0.9), ceiling_fan])
def test_blinds_and_fans_hang_below_their_origin(thing, paint: RichPaint):
    points = points_of(thing(paint))
    assert points[:, 2].max() <= 1e-3
    assert points[:, 2].min() < -0.4


def test_twigs_end_in_their_tips():
    part, tips = twigs(np.random.default_rng(2), 5, 0.4, 0.003)
    nearest = np.linalg.norm(part.positions[None] - tips[:, None], axis=2).min(1)
    assert nearest.max() < 0.01
