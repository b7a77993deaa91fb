"""What hangs on house fronts: drain pipes, lamps, numbers, flower boxes, ivy, awnings, balconies, dishes."""

import numpy as np

from recon.data.rooms.clutter import leaf_cloud
from recon.data.rooms.mesh import box, concatenate, lathe, rectangle
from recon.data.rooms.paint import Paint
from recon.data.rooms.plan import Opening, Wall
from recon.data.rooms.shell import on_wall
from recon.data.rooms.thin import railing, rod
from recon.data.rooms.world import WorldBuilder


def _pipes(builder: WorldBuilder, paint: Paint, wall: Wall, eaves: float) -> None:
    """Drain pipes at the corners."""
    ends = [x for x in (0.12, wall.length - 0.12) if paint.rng.random() < 0.7]
    parts = [rod((x, 0.07, 0.1), (x, 0.07, eaves), 0.04) for x in ends]
    if parts:
        builder.add(on_wall(wall, concatenate(parts)), paint.metal(), True)


def _by_the_door(builder: WorldBuilder, paint: Paint, wall: Wall, hole: Opening) -> None:
    """A lamp, a number, a letter box, a canopy."""
    rng = paint.rng
    x = hole.end + 0.28
    lantern = lathe([(0.02, 1.85), (0.08, 1.9), (0.1, 2.1), (0.02, 2.2)], 8).moved(np.eye(3), np.array([x, 0.14, 0]))
    builder.add(on_wall(wall, concatenate([lantern, rod((x, 0, 2.2), (x, 0.14, 2.2), 0.012)])), paint.metal(), True)
    for width, height, low in ((0.16, 0.2, 1.5), (0.3, 0.36, 0.95)):
        plate = box((x - width / 2, 0, low), (x + width / 2, 0.03 + 0.2 * (low < 1), low + height), 0.5)
        builder.add(on_wall(wall, plate), paint.picture(width, height, "packaging"), True)
    if rng.random() < 0.4:
        reach = float(rng.uniform(0.7, 1.3))
        roof = box((hole.start - 0.4, 0, hole.top + 0.2), (hole.end + 0.4, reach, hole.top + 0.28), 0.4)
        posts = [rod((s, reach - 0.1, 0), (s, reach - 0.1, hole.top + 0.2), 0.04)
                 for s in (hole.start - 0.3, hole.end + 0.3)]  # fmt: skip
        builder.add(on_wall(wall, roof), paint.textured("roof"), True)
        builder.add(on_wall(wall, concatenate(posts)), paint.trim(), True)


def _flower_boxes(builder: WorldBuilder, paint: Paint, wall: Wall, windows: list[Opening]) -> None:
    """Boxes with leaves and blossoms under windows."""
    rng = paint.rng
    wood, green, blossom = paint.wood(), paint.textured("foliage", scale=2.0), paint.vivid()
    for hole in windows:
        if rng.random() < 0.6:
            half, middle = (hole.end - hole.start) / 2, (hole.start + hole.end) / 2
            low = hole.bottom - 0.3
            builder.add(on_wall(wall, box((hole.start, 0.03, low), (hole.end, 0.25, low + 0.2), 0.4)), wood, True)
            for count, leaf, hollow, material in ((70, 0.06, 0.3, green), (40, 0.03, 0.9, blossom)):
                cloud = leaf_cloud(rng, count, (half, 0.16, 0.15), leaf, hollow)
                placed = cloud.moved(np.eye(3), np.array([middle, 0.16, low + 0.27]))
                builder.add(on_wall(wall, placed), material, True)


def _ivy(builder: WorldBuilder, paint: Paint, wall: Wall, eaves: float) -> None:
    """Leaves that climb up a part of the wall."""
    rng = paint.rng
    width, height = float(rng.uniform(0.6, 2.0)), float(rng.uniform(1.2, eaves))
    x = float(rng.uniform(width / 2, wall.length - width / 2))
    cloud = leaf_cloud(rng, int(110 * width * height), (width / 2, 0.12, height / 2), 0.07, 0.0)
    builder.add(on_wall(wall, cloud.moved(np.eye(3), np.array([x, 0.1, height / 2]))), paint.textured("foliage"), True)


def _awning(builder: WorldBuilder, paint: Paint, wall: Wall, hole: Opening) -> None:
    """A striped cloth over a window or a door."""
    out, drop = float(paint.rng.uniform(0.6, 1.3)), float(paint.rng.uniform(0.2, 0.5))
    start = np.array([hole.start - 0.2, 0.02, hole.top + 0.3])
    cloth = rectangle(start, np.array([hole.end - hole.start + 0.4, 0, 0]), np.array([0, out, -drop]), 0.4)
    edge = np.array([0, out, -drop])
    valance = rectangle(start + edge, np.array([hole.end - hole.start + 0.4, 0, 0]), np.array([0, 0, -0.15]), 0.4)
    builder.add(on_wall(wall, concatenate([cloth, valance])), paint.textured("fabric"), True)


def _balcony(builder: WorldBuilder, paint: Paint, wall: Wall, hole: Opening) -> None:
    """A slab with a railing before an upper window."""
    deep, middle = float(paint.rng.uniform(0.5, 1.2)), (hole.start + hole.end) / 2
    width, low = hole.end - hole.start + 0.6, hole.bottom - 0.15
    slab = box((middle - width / 2, 0, low - 0.12), (middle + width / 2, deep, low), 0.4)
    builder.add(on_wall(wall, slab), paint.textured("granite", "plaster"), True)
    for part, material in railing(paint, width).parts:
        builder.add(on_wall(wall, part.moved(np.eye(3), np.array([middle, deep - 0.05, low]))), material, True)


def dress_front(builder: WorldBuilder, paint: Paint, wall: Wall, eaves: float) -> None:
    """Some of all this on one side of a house."""
    rng = paint.rng
    windows = [o for o in wall.openings if o.kind == "window"]
    _pipes(builder, paint, wall, eaves)
    for hole in wall.openings:
        if hole.kind == "door" and hole.end + 0.6 < wall.length:
            _by_the_door(builder, paint, wall, hole)
        if hole.bottom < 2.5 and rng.random() < 0.12:
            _awning(builder, paint, wall, hole)
        if hole.kind == "window" and hole.bottom > 2.5 and rng.random() < 0.15:
            _balcony(builder, paint, wall, hole)
    if rng.random() < 0.4:
        _flower_boxes(builder, paint, wall, windows)
    if rng.random() < 0.25 and wall.length > 2.2:
        _ivy(builder, paint, wall, eaves)
