"""Gardens behind houses: a terrace with furniture, a lawn, beds, fences, a shed, neighbours."""

import numpy as np

from recon.data.rooms.clutter import potted_plant
from recon.data.rooms.facade import build_house, choose_house
from recon.data.rooms.garden import bush, fence, hedge, lay_ground, plant_surroundings, tree
from recon.data.rooms.item import Item
from recon.data.rooms.mesh import box, concatenate, rectangle
from recon.data.rooms.paint import RichPaint
from recon.data.rooms.plan import Rect
from recon.data.rooms.supply import Supply
from recon.data.rooms.thin import railing, sagging
from recon.data.rooms.world import WorldBuilder
from recon.data.rooms.yard import bins, flower_bed, hose, seats, shed


def _terrace(builder: WorldBuilder, paint: RichPaint, supply: Supply, width: float, deep: float) -> None:
    """Paving or a deck before the house with furniture, pots, perhaps a railing and a pergola."""
    rng = paint.rng
    floor = paint.textured("paving", "worn_boards", "tiles", "rubble")
    builder.add(box((-width / 2, -deep, -0.1), (width / 2, 0, 0.03), 0.4), floor, True)
    for _ in range(int(rng.integers(1, 3))):
        x, y = float(rng.uniform(-width / 2 + 1, width / 2 - 1)), float(rng.uniform(-deep, -1.2))
        seats(builder, paint, supply, x, y)
    for _ in range(int(rng.integers(2, 8))):
        x, y = float(rng.uniform(-width / 2, width / 2)), float(rng.choice([-0.35, -deep + 0.2]))
        potted_plant(paint, float(rng.uniform(0.4, 1.5))).place(builder, (x, y, 0.03), float(rng.uniform(0, 6)), True)
    for _ in range(int(rng.integers(0, 4))):
        thing = supply.get("garden", 2.5)
        if thing is not None:
            spot = (float(rng.uniform(-width / 2, width / 2)), float(rng.uniform(-deep, -0.6)), 0.03)
            thing.place(builder, spot, float(rng.normal(0, 0.5)), True)
    if rng.random() < 0.4:
        gate = width / 2 - float(rng.uniform(1.0, 2.0))
        for side in (-1, 1):
            rail = railing(paint, gate - 0.2, float(rng.uniform(0.8, 1.0)))
            rail.place(builder, (side * (width / 2 - gate / 2), -deep, 0.03), 0.0, True)
    if rng.random() < 0.35:
        _pergola(builder, paint, width * 0.7, deep)


def _pergola(builder: WorldBuilder, paint: RichPaint, width: float, deep: float) -> None:
    """Posts and beams with a string of lamps."""
    parts = [box((x - 0.06, y - 0.06, 0), (x + 0.06, y + 0.06, 2.4), 0.4)
             for x in (-width / 2, width / 2) for y in (-deep + 0.1, -0.15)]  # fmt: skip
    x = width / 2
    parts += [box((-x - 0.3, y - 0.05, 2.4), (x + 0.3, y + 0.05, 2.55), 0.5) for y in (-deep + 0.1, -0.15)]
    parts += [box((a - 0.03, -deep - 0.3, 2.55), (a + 0.03, 0.0, 2.68), 0.5) for a in np.arange(-x, x, 0.5)]
    builder.add(concatenate(parts), paint.wood(), True)
    start, end = np.array([-width / 2, -deep + 0.1, 2.4]), np.array([width / 2, -deep + 0.1, 2.4])
    builder.add(sagging(start, end, 0.25, 0.01), paint.plain(np.full(3, 0.05)), True)


def _boundary(builder: WorldBuilder, paint: RichPaint, half: float, far: float) -> None:
    """Fences or hedges left, right and at the end of the garden."""
    rng = paint.rng
    height = float(rng.uniform(1.0, 2.0))
    left, right = (-half, -far / 2, far, np.pi / 2), (half, -far / 2, far, np.pi / 2)
    for x, y, length, turn in (left, right, (0.0, -far, 2 * half, 0.0)):
        kind = rng.random()
        if kind < 0.3:
            thing: Item = hedge(paint, length, height)
            thing.place(builder, (x, y, 0.0), turn, True)
        elif kind < 0.6:
            fence(paint, length, height).place(builder, (x, y, 0.0), turn, True)
        elif kind < 0.9:
            board = box((-length / 2, -0.03, 0), (length / 2, 0.03, height), 0.5)
            wall = paint.textured("worn_boards", "bricks", "rubble", "siding")
            Item([(board, wall)], length, 0.1, height).place(builder, (x, y, 0.0), turn, True)


def _lawn(builder: WorldBuilder, paint: RichPaint, half: float, far: float, deep: float) -> None:
    """A path, beds, shrubs, trees, a shed, things that children left."""
    rng = paint.rng
    if rng.random() < 0.6:
        x = float(rng.uniform(-half / 2, half / 2))
        path = rectangle(np.array([x, -far, 0.01]), np.array([1.0, 0, 0]), np.array([0, far - deep, 0]), 0.5)
        builder.add(path, paint.textured("paving", "gravel", "rubble"), True)
    for _ in range(int(rng.integers(2, 6))):
        bed = flower_bed(paint, float(rng.uniform(1.2, 3.5)), float(rng.uniform(0.5, 1.0)))
        side = float(rng.choice([-1, 1]))
        bed.place(builder, (side * (half - 0.7), -float(rng.uniform(deep, far)), 0.0), np.pi / 2, True)
    for _ in range(int(rng.integers(3, 9))):
        thing = bush(paint, float(rng.uniform(0.3, 0.8)), float(rng.uniform(0.4, 1.6)))
        thing.place(builder, (float(rng.uniform(-half, half)), -far + float(rng.uniform(0.3, 1.5)), 0.0), 0.0, True)
    for _ in range(int(rng.integers(1, 4))):
        spot = (float(rng.choice([-1, 1]) * rng.uniform(0.55, 0.95) * half), -float(rng.uniform(deep + 2, far)), 0.0)
        tree(paint, float(rng.uniform(2.5, 6))).place(builder, spot, 0.0, True)
    if rng.random() < 0.5:
        hut = shed(paint, float(rng.uniform(1.8, 3)), float(rng.uniform(1.6, 2.4)), float(rng.uniform(1.9, 2.4)))
        hut.place(builder, (float(rng.choice([-1, 1])) * (half - 1.8), -far + 1.6, 0.0), np.pi, True)
    for thing in (hose(paint), bins(paint)):
        if rng.random() < 0.5:
            spot = (float(rng.uniform(-half + 1, half - 1)), -float(rng.uniform(deep, far - 1)), 0.02)
            thing.place(builder, spot, float(rng.uniform(0, 6)), True)


def build_patio_scene(builder: WorldBuilder, paint: RichPaint, supply: Supply) -> Rect:
    """A garden towards -y of a house; returns where one may walk."""
    rng = paint.rng
    width, deep, far = float(rng.uniform(6, 12)), float(rng.uniform(2.2, 4)), float(rng.uniform(9, 14))
    half = width / 2 + float(rng.uniform(0.5, 3))
    build_house(builder, paint, (-width / 2, 0.0, width / 2, 7.0), int(rng.choice([1, 2, 2])), choose_house(paint))
    lay_ground(builder, paint.textured("grass", "grass", "grass", "paving"), (0.0, 0.0), 45.0, 0.0, 1.6)
    _terrace(builder, paint, supply, width, deep)
    _lawn(builder, paint, half, far, deep)
    _boundary(builder, paint, half, far)
    for x, y in ((-half - 9, -2.0), (half + 3, -1.0), (float(rng.uniform(-9, 1)), -far - 14)):
        if rng.random() < 0.6:
            rect = (x, y, x + float(rng.uniform(5.5, 8)), y + 7.0)
            build_house(builder, paint, rect, int(rng.choice([1, 2])), choose_house(paint), 2 if y < -far else 0)
    plant_surroundings(builder, paint, (0.0, -4.0), half + 9.0, half + 24.0, 0.0, int(rng.integers(4, 9)))
    return (-half + 0.8, -far + 1.0, half - 0.8, -0.7)
