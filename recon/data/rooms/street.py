"""Streets: two rows of houses, front gardens, pavements, parked cars, posts and wires."""

import numpy as np

from recon.data.rooms.facade import build_house, choose_house
from recon.data.rooms.garden import bush, fence, hedge, lay_ground, plant_surroundings, tree
from recon.data.rooms.item import Item
from recon.data.rooms.mesh import box, rectangle
from recon.data.rooms.paint import RichPaint
from recon.data.rooms.plan import Rect
from recon.data.rooms.supply import Supply
from recon.data.rooms.thin import railing
from recon.data.rooms.world import Material, WorldBuilder
from recon.data.rooms.yard import bins, car, flower_bed, overhead_wires, street_lamp

REACH = 26.0


def _strip(builder: WorldBuilder, material: Material, y0: float, y1: float, z: float, spacing: float = 1.2) -> None:
    part = rectangle(np.array([-REACH, y0, z]), np.array([2 * REACH, 0, 0]), np.array([0, y1 - y0, 0]), spacing)
    builder.add(part, material, True)


def _row(builder: WorldBuilder, paint: RichPaint, side: int, front: float) -> None:
    """Houses on one side (1: y > 0) whose fronts stand about `front` metres from the middle of the road."""
    rng = paint.rng
    x, terraced = -17.0, rng.random() < 0.35
    style, storeys = choose_house(paint), int(rng.choice([1, 2, 2]))
    while x < 15:
        width, depth = float(rng.uniform(5.5, 10)), float(rng.uniform(6, 9))
        if not terraced or rng.random() < 0.4:
            style, storeys = choose_house(paint), int(rng.choice([1, 2, 2, 3]))
        y = front + (0.0 if terraced else float(rng.uniform(-0.8, 2.0)))
        rect = (x, y, x + width, y + depth) if side > 0 else (x, -y - depth, x + width, -y)
        build_house(builder, paint, rect, storeys, style, 0 if side > 0 else 2)
        x += width + (0.02 if terraced else float(rng.uniform(1.5, 5)))


def _front_gardens(builder: WorldBuilder, paint: RichPaint, side: int, kerb: float, front: float) -> None:
    """Fences, hedges, shrubs and trees between the pavement and the houses."""
    rng = paint.rng
    bound = kerb + 1.8
    for x in np.arange(-16.0, 16.0, 6.0):
        kind, length = rng.random(), float(rng.uniform(3.5, 5.5))
        if front - bound < 1.0 or kind > 0.8:
            continue
        if kind < 0.3:
            thing: Item = fence(paint, length, float(rng.uniform(0.7, 1.3)))
        elif kind < 0.5:
            thing = hedge(paint, length, float(rng.uniform(0.7, 1.4)))
        else:
            thing = railing(paint, length, float(rng.uniform(0.8, 1.2)))
        thing.place(builder, (float(x), side * bound, 0.0), 0.0, True)
    for _ in range(int(rng.integers(4, 10))):
        at = (float(rng.uniform(-14, 14)), side * float(rng.uniform(bound + 0.5, max(front - 0.4, bound + 0.6))), 0.0)
        kind = rng.random()
        if kind < 0.5:
            thing = bush(paint, float(rng.uniform(0.3, 0.8)), float(rng.uniform(0.5, 1.5)))
        elif kind < 0.8:
            thing = flower_bed(paint, float(rng.uniform(0.8, 2.2)), 0.7)
        else:
            thing = tree(paint, float(rng.uniform(3, 7)))
        thing.place(builder, at, 0.0, True)


def _on_the_road(builder: WorldBuilder, paint: RichPaint, side: int, kerb: float) -> None:
    """Parked cars, bins, lamp posts."""
    rng = paint.rng
    x = -14.0 + float(rng.uniform(0, 4))
    while x < 14:
        if rng.random() < 0.5:
            turn = 0.0 if rng.random() < 0.5 else np.pi
            car(paint).place(builder, (x, side * (kerb - 1.05), 0.01), turn, True)
        x += float(rng.uniform(5, 8))
    for x in np.arange(-13.0, 14.0, 9.0) + rng.uniform(-2, 2):
        if rng.random() < 0.6:
            street_lamp(paint).place(builder, (float(x), side * (kerb + 0.3), 0.1), 0.0 if side > 0 else np.pi, True)
        if rng.random() < 0.35:
            bins(paint).place(builder, (float(x) + 2, side * (kerb + 1.4), 0.12), 0.0 if side > 0 else np.pi, True)


def build_street_scene(builder: WorldBuilder, paint: RichPaint, supply: Supply) -> Rect:
    """A street along x; returns where one may walk."""
    rng = paint.rng
    kerb = float(rng.uniform(2.8, 4.5))
    fronts = [kerb + float(rng.choice([2.2, rng.uniform(3, 8)])) for _ in range(2)]
    lay_ground(builder, paint.textured("grass", "grass", "paving"), (0.0, 0.0), 50.0, -0.02, 2.5)
    _strip(builder, paint.textured("gravel", "paving"), -kerb, kerb, 0.0)
    pavement, stone = paint.textured("paving", "gravel"), paint.textured("granite")
    line = paint.plain(np.full(3, 0.9))
    if rng.random() < 0.6:
        for x in np.arange(-REACH, REACH, 4.0):
            mark = rectangle(np.array([x, -0.06, 0.006]), np.array([2.0, 0, 0]), np.array([0, 0.12, 0]), 2.0)
            builder.add(mark, line, True)
    for side, front in zip((-1, 1), fronts, strict=True):
        edge = sorted((side * kerb, side * (kerb + 0.14)))
        builder.add(box((-REACH, edge[0], 0), (REACH, edge[1], 0.12), 1.5), stone, True)
        walk = sorted((side * (kerb + 0.14), side * (kerb + 1.7)))
        _strip(builder, pavement, walk[0], walk[1], 0.1, 0.8)
        _row(builder, paint, side, front)
        _front_gardens(builder, paint, side, kerb, front)
        _on_the_road(builder, paint, side, kerb)
    if rng.random() < 0.5:
        middle, side = float(rng.uniform(-6, -2)), float(rng.choice([-1, 1]))
        overhead_wires(builder, paint, [-19.0, middle, 13.0], side * (kerb + 0.6))
    plant_surroundings(builder, paint, (0.0, 0.0), 24.0, 38.0, 0.0, int(rng.integers(3, 7)))
    return (-9.0, -kerb - 1.2, 9.0, kerb + 1.2)
