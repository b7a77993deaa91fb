"""Small things on walls and ceilings of lived-in rooms: switches, clocks, notes, shelves, hooks, cables, fans."""

import numpy as np

from recon.data.rooms.item import Item
from recon.data.rooms.knickknacks import crowd
from recon.data.rooms.mesh import MeshPart, box, concatenate, cylinder
from recon.data.rooms.paint import RichPaint
from recon.data.rooms.plan import Opening, Room, Wall
from recon.data.rooms.shell import on_wall, panel
from recon.data.rooms.thin import ceiling_fan, rod, sagging, slats
from recon.data.rooms.world import Material, WorldBuilder

# An item's front (-y) looks into the room, which in wall coordinates is +y.
TURNED = np.diag([-1.0, -1.0, 1.0])


def put_on_wall(builder: WorldBuilder, wall: Wall, thing: Item, x: float, y: float, z: float) -> None:
    """Place an item in wall coordinates, its front into the room."""
    for part, material in thing.parts:
        builder.add(on_wall(wall, part.moved(TURNED, np.array([x, y, z]))), material)


def _add(builder: WorldBuilder, wall: Wall, part: MeshPart, material: Material) -> None:
    builder.add(on_wall(wall, part), material)


def _free_spot(
    rng: np.random.Generator, wall: Wall, width: float, low: float, high: float, margin: float = 0.1
) -> float | None:
    """Middle of a free interval of the wall."""
    for _ in range(4):
        if wall.length < width + 0.3:
            return None
        x = float(rng.uniform(width / 2 + 0.1, wall.length - width / 2 - 0.1))
        if wall.free(x - width / 2, x + width / 2, low, high, margin):
            return x
    return None


def switches(builder: WorldBuilder, paint: RichPaint, wall: Wall) -> None:
    """Light switches beside doors, sockets above the skirting, a thermostat."""
    rng = paint.rng
    white = paint.plain(np.full(3, rng.uniform(0.75, 0.97)), 0.05)
    plates = [(o.end + 0.16, 1.1) for o in wall.openings if o.kind != "window" and o.end + 0.3 < wall.length]
    plates += [(float(rng.uniform(0.2, wall.length - 0.2)), z) for z in (0.3, 0.3, 1.45) if rng.random() < 0.6]
    for x, z in plates:
        if wall.free(x - 0.06, x + 0.06, z - 0.06, z + 0.06, 0.02):
            rocker = box((x - 0.012, 0.008, z - 0.03), (x + 0.012, 0.014, z + 0.03), 0.3)
            _add(builder, wall, concatenate([box((x - 0.04, 0, z - 0.06), (x + 0.04, 0.008, z + 0.06)), rocker]), white)


def clock(builder: WorldBuilder, paint: RichPaint, wall: Wall) -> None:
    """A round clock with hands."""
    rng = paint.rng
    r = float(rng.uniform(0.1, 0.25))
    x = _free_spot(rng, wall, 2 * r, 1.5, 2.1)
    if x is None:
        return
    forward = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    at = np.array([x, 0.0, 1.8])
    _add(builder, wall, cylinder(r, 0.03, 24).moved(forward, at), paint.vivid())
    _add(builder, wall, cylinder(0.87 * r, 0.032, 24).moved(forward, at), paint.plain(np.full(3, 0.92)))
    hands = [rod((x, 0.036, 1.8), (x + k * r * np.cos(a), 0.036, 1.8 + k * r * np.sin(a)), 0.006)
             for k, a in ((0.5, rng.uniform(0, 6)), (0.75, rng.uniform(0, 6)))]  # fmt: skip
    ticks = [rod((x + 0.7 * r * c, 0.034, 1.8 + 0.7 * r * s), (x + 0.82 * r * c, 0.034, 1.8 + 0.82 * r * s), 0.004)
             for c, s in ((np.cos(a), np.sin(a)) for a in np.arange(12) * np.pi / 6)]  # fmt: skip
    _add(builder, wall, concatenate([*hands, *ticks]), paint.plain(np.full(3, 0.06)))


def notes(builder: WorldBuilder, paint: RichPaint, wall: Wall) -> None:
    """Posters, a calendar, a pin board: printed sheets side by side."""
    rng = paint.rng
    columns, rows = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    w, h = float(rng.uniform(0.12, 0.34)), float(rng.uniform(0.14, 0.42))
    x = _free_spot(rng, wall, columns * (w + 0.06), 1.0, 2.1)
    if x is None:
        return
    for i in range(columns):
        for j in range(rows):
            left, low = x + (i - columns / 2) * (w + 0.05), 1.85 - (j + 1) * (h + 0.04) + rng.normal(0, 0.01)
            if rng.random() < 0.85 and low > 0.5:
                sheet = panel(0.0, w, 0.0, h).moved(np.eye(3), np.array([left, 0.006, low]))
                _add(builder, wall, sheet, paint.picture(w, h, "packaging", "painting"))


def shelf(builder: WorldBuilder, paint: RichPaint, wall: Wall) -> None:
    """One to three boards on brackets, crowded with things."""
    rng = paint.rng
    width, depth, boards = float(rng.uniform(0.6, 1.5)), float(rng.uniform(0.17, 0.28)), int(rng.integers(1, 4))
    x = _free_spot(rng, wall, width, 1.0, 2.2)
    if x is None:
        return
    wood = paint.wood()
    for i in range(boards):
        z = 1.25 + 0.36 * i
        _add(builder, wall, box((x - width / 2, 0, z), (x + width / 2, depth, z + 0.022), 0.15), wood)
        arms = [rod((s, 0.01, z - 0.16), (s, depth - 0.03, z), 0.007) for s in (x - width / 3, x + width / 3)]
        _add(builder, wall, concatenate(arms), paint.metal())
        for thing, a, b in crowd(paint, width, depth, int(rng.integers(3, 9)), 0.31):
            put_on_wall(builder, wall, thing, x + a, depth / 2 + b, z + 0.023)


def hooks(builder: WorldBuilder, paint: RichPaint, wall: Wall) -> None:
    """A rail with hooks, towels, bags and pans."""
    rng = paint.rng
    width, z = float(rng.uniform(0.5, 1.2)), float(rng.uniform(1.5, 1.8))
    x = _free_spot(rng, wall, width, 0.8, 1.9)
    if x is None:
        return
    parts = [rod((x - width / 2, 0.04, z), (x + width / 2, 0.04, z), 0.008)]
    for s in np.arange(x - width / 2 + 0.06, x + width / 2, 0.13):
        parts += [rod((s, 0.04, z), (s, 0.06, z - 0.05), 0.004)]
        kind = rng.random()
        if kind < 0.3:
            long = float(rng.uniform(0.3, 0.8))
            cloth = box((s - 0.05, 0.03, z - long), (s + 0.05, 0.09, z - 0.05), 0.12)
            _add(builder, wall, cloth, paint.textured("fabric"))
        elif kind < 0.55:
            parts += [rod((s, 0.06, z - 0.25), (s, 0.06, z - 0.04), 0.005)]
            disc = cylinder(0.05, 0.02, 14).moved(np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
                                                  np.array([s, 0.05, z - 0.28]))  # fmt: skip
            _add(builder, wall, disc, paint.metal())
    _add(builder, wall, concatenate(parts), paint.metal())


def cables(builder: WorldBuilder, paint: RichPaint, wall: Wall) -> None:
    """A cable that hangs along the wall, or a string of flags."""
    rng = paint.rng
    if wall.length < 1.2:
        return
    start, end = np.sort(rng.uniform(0.1, wall.length - 0.1, 2))
    z0, z1 = rng.uniform(0.3, 2.2, 2)
    a, b = np.array([start, 0.02, z0]), np.array([end, 0.02, z1])
    if end - start > 0.4 and wall.free(float(start), float(end), float(min(z0, z1)) - 0.3, float(max(z0, z1)), 0.0):
        _add(builder, wall, sagging(a, b, float(rng.uniform(0.05, 0.25)), 0.005), paint.vivid())


def hang_details(builder: WorldBuilder, paint: RichPaint, room: Room) -> None:
    """Some of all this on the walls of a room, and now and then a fan under its ceiling."""
    rng = paint.rng
    chances = ((switches, 0.75), (clock, 0.1), (notes, 0.14), (shelf, 0.16), (hooks, 0.1), (cables, 0.12))
    for wall in room.walls:
        for hang, chance in chances:
            if rng.random() < chance:
                hang(builder, paint, wall)
    if rng.random() < 0.12 and room.height > 2.4:
        x0, y0, x1, y1 = room.rect
        ceiling_fan(paint).place(builder, ((x0 + 2 * x1) / 3, (y0 + y1) / 2, room.height), 0.0)


def slat_blind(builder: WorldBuilder, paint: RichPaint, wall: Wall, hole: Opening) -> None:
    """A blind of real slats that covers the upper part of a window, or all of it."""
    drop = float(paint.rng.choice([0.3, 0.6, 1.0])) * (hole.top - hole.bottom - 0.03)
    thing = slats(paint, hole.end - hole.start - 0.03, drop)
    put_on_wall(builder, wall, thing, (hole.start + hole.end) / 2, -0.035, hole.top)
