"""Fitted kitchens: a run of base units with a worktop, wall units, splashback, appliances and an island."""

import itertools

import numpy as np

from recon.data.rooms.carpentry import door_leaf
from recon.data.rooms.clutter import small_thing
from recon.data.rooms.knickknacks import crowd
from recon.data.rooms.mesh import MeshPart, box, concatenate, lathe
from recon.data.rooms.paint import RichPaint
from recon.data.rooms.placement import Floor, Place
from recon.data.rooms.plan import Room, Wall
from recon.data.rooms.shell import on_wall, panel
from recon.data.rooms.supply import Supply
from recon.data.rooms.wall_things import put_on_wall
from recon.data.rooms.world import Material, WorldBuilder

DEPTH, HEIGHT, TOP = 0.6, 0.87, 0.04


class Kitchen:
    """Materials of one kitchen, shared by all its units."""

    def __init__(self, paint: RichPaint):
        rng = paint.rng
        self.paint = paint
        self.front = paint.front()
        self.upper = self.front if rng.random() < 0.75 else paint.front()
        self.top = paint.textured("marble", "granite", "wood", specular=0.1, mirror=float(rng.uniform(0.03, 0.09)))
        self.splash = paint.textured("tiles", "mosaic", "marble", scale=0.6, mirror=0.03)
        self.metal = paint.metal()
        self.steel = paint.plain(np.full(3, rng.choice([0.12, 0.6, 0.9])), 0.2, float(rng.uniform(0.08, 0.3)))
        self.dark = paint.plain(np.full(3, 0.05), mirror=0.05)
        self.framed = bool(rng.random() < 0.55)
        self.knob = bool(rng.random() < 0.4)
        self.unit = float(rng.uniform(0.42, 0.62))


def _handle(kitchen: Kitchen, x: float, z: float, y: float) -> MeshPart:
    if kitchen.knob:
        knob = lathe([(0.006, 0), (0.006, 0.015), (0.016, 0.02), (0.012, 0.03), (1e-3, 0.03)], 10)
        turn = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
        return knob.moved(turn.T, np.array([x, y, z]))
    return box((x - 0.06, y, z - 0.006), (x + 0.06, y + 0.025, z + 0.006))


def _mirrored(parts: list[MeshPart], y: float) -> list[MeshPart]:
    """Door leaves are made looking towards -y; in wall coordinates fronts look towards +y, from plane y."""
    flip = np.diag([-1.0, -1.0, 1.0])
    return [p.moved(flip, np.array([0, y, 0])) for p in parts]


def _fronts(kitchen: Kitchen, start: float, end: float, low: float, high: float, y: float, drawers: float):
    """Doors and drawers between two ends; returns fronts and handles."""
    rng = kitchen.paint.rng
    count = max(1, round((end - start) / kitchen.unit))
    fronts, handles = [], []
    for i in range(count):
        x0 = start + i * (end - start) / count + 0.003
        x1 = start + (i + 1) * (end - start) / count - 0.003
        rows = [low, high]
        if rng.random() < drawers:
            rows = [low, high - 0.17, high]
        if rng.random() < drawers / 3:
            rows = list(np.linspace(low, high, 4))
        for z0, z1 in itertools.pairwise(rows):
            fronts += _mirrored(door_leaf(-x1, -x0, z0 + 0.003, z1 - 0.003, 0.0, kitchen.framed), y)
            side = (x0 + x1) / 2 if z1 - z0 < 0.35 else (x0 + 0.07 if i % 2 else x1 - 0.07)
            level = z1 - 0.06 if low < 1 else z0 + 0.06
            handles.append(_handle(kitchen, side, level if z1 - z0 > 0.35 else (z0 + z1) / 2, y + 0.012))
    return fronts, handles


def _base_run(builder: WorldBuilder, kitchen: Kitchen, wall: Wall, start: float, end: float) -> None:
    add = lambda part, material: builder.add(on_wall(wall, part), material)  # noqa: E731
    add(box((start, 0, 0.1), (end, DEPTH - 0.03, HEIGHT), 0.3), kitchen.front)
    add(box((start + 0.02, 0, 0), (end - 0.02, DEPTH - 0.09, 0.1), 0.5), kitchen.dark)
    add(box((start - 0.01, 0, HEIGHT), (end + 0.01, DEPTH + 0.01, HEIGHT + TOP), 0.12), kitchen.top)
    rng = kitchen.paint.rng
    spans = [(start, end)]
    if end - start > 1.9:
        oven = float(rng.uniform(start + 0.5, end - 1.1))
        spans = [(start, oven), (oven + 0.6, end)]
        _oven(add, kitchen, oven)
    for low, high in spans:
        fronts, handles = _fronts(kitchen, low, high, 0.11, HEIGHT - 0.01, DEPTH - 0.03, 0.6)
        add(concatenate(fronts), kitchen.front)
        add(concatenate(handles), kitchen.metal)
    if end - start > 1.4:
        middle = float(rng.uniform(start + 0.4, end - 0.4))
        _sink(add, kitchen, middle)


def _oven(add, kitchen: Kitchen, start: float) -> None:
    y = DEPTH - 0.03
    add(box((start + 0.005, y, 0.12), (start + 0.595, y + 0.02, HEIGHT - 0.01), 0.3), kitchen.steel)
    add(box((start + 0.06, y + 0.02, 0.25), (start + 0.54, y + 0.024, 0.62), 0.3), kitchen.dark)
    add(box((start + 0.05, y + 0.04, 0.66), (start + 0.55, y + 0.06, 0.68)), kitchen.metal)
    add(box((start + 0.02, 0.08, HEIGHT + TOP), (start + 0.58, 0.52, HEIGHT + TOP + 0.006), 0.3), kitchen.dark)
    for x in (0.17, 0.43):
        for z in (0.19, 0.4):
            ring = lathe([(0.09, 0), (0.09, 0.004), (0.075, 0.004)], 18)
            add(ring.moved(np.eye(3), np.array([start + x, z, HEIGHT + TOP + 0.006])), kitchen.steel)


def _sink(add, kitchen: Kitchen, middle: float) -> None:
    z = HEIGHT + TOP
    add(box((middle - 0.28, 0.12, z), (middle + 0.28, 0.5, z + 0.006), 0.3), kitchen.steel)
    add(box((middle - 0.25, 0.15, z + 0.006), (middle + 0.25, 0.47, z + 0.008), 0.3), kitchen.dark)
    tap = lathe([(0.018, 0), (0.012, 0.02), (0.012, 0.28), (1e-3, 0.285)], 10)
    add(tap.moved(np.eye(3), np.array([middle, 0.08, z])), kitchen.metal)
    add(box((middle - 0.01, 0.08, z + 0.26), (middle + 0.01, 0.26, z + 0.28)), kitchen.metal)


def _wall_units(
    builder: WorldBuilder, kitchen: Kitchen, wall: Wall, start: float, end: float, room_height: float
) -> None:
    low, high = 1.42, min(2.15, room_height - 0.05)
    rng = kitchen.paint.rng
    at = start
    while at < end - 0.35:
        until = min(end, at + float(rng.uniform(0.6, 2.0)))
        if wall.free(at, until, low, high, 0.05):
            builder.add(on_wall(wall, box((at, 0, low), (until, 0.33, high), 0.2)), kitchen.upper)
            fronts, handles = _fronts(kitchen, at, until, low, high, 0.33, 0.0)
            builder.add(on_wall(wall, concatenate(fronts)), kitchen.upper)
            builder.add(on_wall(wall, concatenate(handles)), kitchen.metal)
        at = until + float(rng.choice([0.0, 0.6]))


def _splashback(builder: WorldBuilder, kitchen: Kitchen, wall: Wall, start: float, end: float) -> None:
    z0, z1 = HEIGHT + TOP, 1.42
    cuts = sorted({start, end, *(min(max(c, start), end) for o in wall.openings for c in (o.start, o.end))})
    for a, b in itertools.pairwise(cuts):
        top = min([z1, *(o.bottom - 0.05 for o in wall.openings if o.start < (a + b) / 2 < o.end)])
        if b - a > 0.02 and top > z0 + 0.02:
            builder.add(on_wall(wall, panel(a, b, z0, top, 0.008)), kitchen.splash)


def fit_kitchen(builder: WorldBuilder, paint: RichPaint, room: Room, floor: Floor, supply: Supply) -> None:
    """Fit one or two walls and perhaps an island; reserves the floor."""
    kitchen = Kitchen(paint)
    rng = paint.rng
    fitted = 0
    for index in rng.permutation(4):
        wall = room.walls[index]
        if fitted >= 1 + int(rng.random() < 0.6):
            break
        span = _longest_span(wall, fitted)
        if span is None:
            continue
        start, end = span
        a, b = wall.start + start * wall.along, wall.start + end * wall.along + (DEPTH + 0.02) * wall.inward
        low, high = np.minimum(a, b), np.maximum(a, b)
        rect = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        if not floor.free(rect, 0.0):
            continue
        floor.taken.append(rect)
        fitted += 1
        _base_run(builder, kitchen, wall, start, end)
        _wall_units(builder, kitchen, wall, start, end, room.height)
        _splashback(builder, kitchen, wall, start, end)
        _dress_worktop(builder, wall, start, end, supply)
    if room.area > 12 and rng.random() < 0.5:
        _island(builder, kitchen, floor, supply)


def _longest_span(wall: Wall, fitted: int) -> tuple[float, float] | None:
    doors = sorted((o for o in wall.openings if o.bottom < HEIGHT + TOP), key=lambda o: o.start)
    margin = 0.65 if fitted else 0.02
    edges = [(margin, margin), *((o.start - 0.12, o.end + 0.12) for o in doors), (wall.length - margin, wall.length)]
    spans = [(b, c) for (_, b), (c, _) in itertools.pairwise(edges)]
    start, end = max(spans, key=lambda s: s[1] - s[0])
    return None if end - start < 1.0 else (start, min(end, start + 4.2))


def _dress_worktop(builder: WorldBuilder, wall: Wall, start: float, end: float, supply: Supply) -> None:
    rng = supply.paint.rng
    if rng.random() < 0.7:
        count = 2 + int(rng.poisson(4.5 * (end - start)))
        for thing, x, y in crowd(supply.paint, end - start - 0.04, 0.5, count, 0.48, kitchen=True):
            put_on_wall(builder, wall, thing, (start + end) / 2 + x, 0.29 + y, HEIGHT + TOP + 0.009)
        return
    for _ in range(int(rng.integers(1, 3 + int(2 * (end - start))))):
        thing = supply.get("small") if rng.random() < 0.7 else small_thing(supply.paint)
        if thing is not None and thing.depth < 0.5:
            at = wall.start + rng.uniform(start + 0.2, end - 0.2) * wall.along + rng.uniform(0.15, 0.4) * wall.inward
            thing.place(builder, (float(at[0]), float(at[1]), HEIGHT + TOP + 0.009), float(rng.uniform(0, 6.28)))


def _island(builder: WorldBuilder, kitchen: Kitchen, floor: Floor, supply: Supply) -> None:
    rng = kitchen.paint.rng
    width, depth = float(rng.uniform(1.2, 2.2)), float(rng.uniform(0.7, 1.0))
    place = floor.anywhere(width + 0.5, depth + 0.9, rng, middle=True)
    if place is None:
        return
    x, y = width / 2, depth / 2
    fronts, handles = _fronts(kitchen, -x, x, 0.11, HEIGHT - 0.01, 0.0, 0.4)
    flip = np.diag([-1.0, -1.0, 1.0])
    at = np.array([0, -y + 0.03, 0.0])
    parts: list[tuple[MeshPart, Material]] = [
        (box((-x, -y + 0.03, 0.1), (x, y - 0.2, HEIGHT), 0.3), kitchen.front),
        (box((-x + 0.03, -y + 0.09, 0), (x - 0.03, y - 0.24, 0.1), 0.5), kitchen.dark),
        (box((-x - 0.02, -y, HEIGHT), (x + 0.02, y, HEIGHT + TOP), 0.12), kitchen.top),
        (concatenate(fronts).moved(flip, at), kitchen.front),
        (concatenate(handles).moved(flip, at), kitchen.metal),
    ]
    for part, material in parts:
        c, s = np.cos(place.angle), np.sin(place.angle)
        turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        builder.add(part.moved(turn, np.array(place.position())), material)
    stool = supply.get("stool")
    for along in np.linspace(-x + 0.35, x - 0.35, 3) if stool is not None else []:
        _place_local(builder, stool, place, float(along), y + 0.12)
    for thing, along, away in crowd(kitchen.paint, width, depth, int(rng.integers(1, 9)), kitchen=True):
        _place_local(builder, thing, place, along, away, HEIGHT + TOP + 0.002)


def _place_local(builder: WorldBuilder, thing, place: Place, along: float, away: float, z: float = 0.0) -> None:
    c, s = np.cos(place.angle), np.sin(place.angle)
    thing.place(builder, (place.x + c * along - s * away, place.y + s * along + c * away, z), place.angle)
