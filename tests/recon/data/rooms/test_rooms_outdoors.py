import numpy as np
import pytest

from recon.data.rooms.facade import build_facade_scene, build_house, choose_house
from recon.data.rooms.library import TextureLibrary
from recon.data.rooms.paint import RichPaint
from recon.data.rooms.patio import build_patio_scene
from recon.data.rooms.plan import Opening, Wall
from recon.data.rooms.shell import wall_surface
from recon.data.rooms.street import build_street_scene
from recon.data.rooms.supply import Supply
from recon.data.rooms.world import World, WorldBuilder
from recon.data.rooms.yard import car, prism


def paint(library: TextureLibrary, seed: int = 0) -> RichPaint:
    return RichPaint(WorldBuilder(), library, np.random.default_rng(seed))


def area(part) -> float:
    a, b, c = (part.positions[part.faces[:, i]].astype(float) for i in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def test_a_wall_lacks_exactly_its_holes_also_when_they_lie_above_each_other():
    wall = Wall(np.zeros(2), np.array([1.0, 0.0]), 6.0)
    spans = [(1, 2, 0.9, 2.1, "window"), (1, 2, 3.6, 4.8, "window"), (1.5, 3, 6, 7, "window"), (4, 5, 0, 2, "door")]
    for *span, kind in [*spans, (5, 5.5, 0, 2, "closed")]:
        wall.openings.append(Opening(*(float(x) for x in span), kind))
    assert area(wall_surface(wall, 8.0)) == pytest.approx(6 * 8 - 1.2 - 1.2 - 1.5 - 2.0, rel=1e-5)


def test_every_storey_of_a_house_shows_its_windows(small_library):
    drawn = paint(small_library, 3)
    style = choose_house(drawn)
    build_house(drawn.builder, drawn, (-5.0, 0.0, 5.0, 7.0), 2, style)
    world, row = drawn.builder.build(), drawn.builder.material(style.glass)
    x, z = np.meshgrid(np.linspace(-4.9, 4.9, 120), np.linspace(0.5, 2 * style.storey, 120))
    rays = np.zeros((x.size, 6), np.float32)
    rays[:, 0], rays[:, 1], rays[:, 2], rays[:, 4] = x.ravel(), -6.0, z.ravel(), 1.0
    face, _, _ = world.cast(rays)
    glass = np.where(face >= 0, world.face_material[face], -1) == row
    for low in (0.0, style.storey):
        storey = (z.ravel() > low + 0.3) & (z.ravel() < low + style.storey)
        assert glass[storey].mean() > 0.02


def test_a_prism_is_closed():
    part = prism([(-1.0, 0.0), (1.0, 0.0), (0.5, 1.0), (-0.5, 1.0)], 0.8)
    a, b, c = (part.positions[part.faces[:, i]].astype(float) for i in range(3))
    assert np.abs(np.cross(b - a, c - a).sum(0)).max() < 1e-5
    assert area(part) == pytest.approx(2 * 1.5 + 0.8 * (2 + 1 + 2 * np.hypot(0.5, 1)), rel=1e-5)
    assert np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6 == pytest.approx(1.5 * 0.8, rel=1e-4)


def test_a_car_stands_on_its_wheels(small_library):
    thing = car(paint(small_library))
    assert min(part.positions[:, 2].min() for part, _ in thing.parts) == pytest.approx(0, abs=0.01)
    assert 3.6 < thing.width < 4.9
    assert 1.6 < thing.depth < 2.0


def openness(world: World, rect, seed: int) -> float:
    """Share of places at eye level that are at least half a metre from everything."""
    places = np.random.default_rng(seed).uniform((rect[0], rect[1]), (rect[2], rect[3]), (200, 2))
    eyes = np.concatenate([places, np.full((200, 1), 1.7)], 1).astype(np.float32)
    return float((world.distance(eyes) > 0.5).mean())


@pytest.mark.parametrize("build", [build_facade_scene, build_street_scene, build_patio_scene])
def test_one_can_stand_outdoors_on_ground_and_sees_houses_and_sky(build, small_library):
    drawn = paint(small_library, 2)
    rect = build(drawn.builder, drawn, Supply(drawn, None))
    world = drawn.builder.build()
    assert openness(world, rect, 0) > 0.5
    middle = np.array([(rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2, 8.5])
    directions = np.random.default_rng(1).standard_normal((500, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    rays = np.concatenate([np.broadcast_to(middle, (500, 3)), directions], 1).astype(np.float32)
    hit = world.cast(rays)[0] >= 0
    assert hit[directions[:, 2] < -0.5].all()
    assert not hit[directions[:, 2] > 0.5].all()
    assert world.exterior.all()
