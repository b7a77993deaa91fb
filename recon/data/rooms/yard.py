"""Things that stand in streets and gardens: cars, bins, posts, pots, beds, garden furniture, sheds."""

import itertools

import numpy as np

from recon.data.rooms.clutter import leaf_cloud
from recon.data.rooms.item import Item, item
from recon.data.rooms.mesh import MeshPart, box, concatenate, cylinder, lathe, rectangle
from recon.data.rooms.paint import RichPaint
from recon.data.rooms.supply import Supply
from recon.data.rooms.thin import arc, rod, sagging, tube, wire_chair
from recon.data.rooms.world import WorldBuilder

UP = np.array([0.0, 0.0, 1.0])


def prism(profile: list[tuple[float, float]], width: float) -> MeshPart:
    """A body with a convex outline in the xz plane (counter-clockwise seen from -y), `width` along y."""
    points = np.array([(x, 0.0, z) for x, z in profile])
    shift, middle = np.array([0, width / 2, 0]), points.mean(0)
    sides = []
    for a, b in zip(points, np.roll(points, -1, axis=0), strict=True):
        sides.append(rectangle(a - shift, 2 * shift, b - a, 0.5))
        for sign in (-1, 1):
            half = rectangle(middle + sign * shift, a - middle, b - middle, 9.0)
            face, where = np.array([[0, 1, 2]], np.int32), half.positions[:3]
            corner = MeshPart(where, half.normals[:3], half.uvs[:3], face, where)
            sides.append(corner if sign < 0 else corner.flipped())
    return concatenate(sides)


def car(paint: RichPaint) -> Item:
    """A parked car along x."""
    rng = paint.rng
    length, width = float(rng.uniform(3.7, 4.7)), float(rng.uniform(1.65, 1.85))
    high, hood = float(rng.uniform(1.35, 1.75)), float(rng.uniform(0.75, 1.0))
    a = length / 2
    body = prism([(-a, 0.25), (a, 0.25), (a, 0.6), (a - 0.15, hood), (-a + 0.1, hood + 0.05), (-a, 0.6)], width)
    back = -a + float(rng.uniform(0.1, 0.9))
    cabin = [(back, hood), (a - 1.15, hood), (a - 1.8, high), (back + 0.35, high)]
    glass = [(x * 0.96 - 0.01, z if z == hood else z - 0.09) for x, z in cabin]
    wheels, hubs = [], []
    for x in (-a + 0.75, a - 0.8):
        for side in (-1, 1):
            turn = np.array([[1.0, 0, 0], [0, 0, side], [0, -side, 0]])
            wheels.append(cylinder(0.31, 0.2, 18).moved(turn, np.array([x, side * (width / 2 - 0.17), 0.31])))
            hubs.append(cylinder(0.19, 0.21, 12).moved(turn, np.array([x, side * (width / 2 - 0.17), 0.31])))
    lights = [box((x - 0.02, y - 0.16, 0.55), (x + 0.02, y + 0.16, 0.7), 0.5)
              for x in (-a, a) for y in (-width / 2 + 0.2, width / 2 - 0.2)]  # fmt: skip
    plates = [box((x - 0.03, -0.25, 0.38), (x + 0.03, 0.25, 0.48), 0.5) for x in (-a, a)]
    shade = float(rng.choice([0.06, 0.3, 0.6, 0.93]))
    coat = paint.plain(np.full(3, shade), 0.1, 0.06) if rng.random() < 0.5 else paint.glazed()
    return item([
        (concatenate([body, prism(cabin, width * 0.86)]), coat),
        (prism(glass, width * 0.87), paint.plain(np.full(3, 0.05), 0.1, 0.08)),
        (concatenate(wheels), paint.plain(np.full(3, 0.06))),
        (concatenate(hubs), paint.metal()),
        (concatenate([*lights, *plates]), paint.plain(np.full(3, 0.9), 0.1)),
    ])  # fmt: skip


def street_lamp(paint: RichPaint) -> Item:
    """A lamp post with an arm or a lantern, or a sign."""
    rng = paint.rng
    height = float(rng.uniform(3.0, 6.0))
    parts = [rod((0, 0, 0), (0, 0, height), 0.05)]
    if rng.random() < 0.5:
        parts.append(arc(np.array([0, -0.5, height]), np.array([0, 0.5, 0]), 0.3 * UP, (0.0, 3.0), 0.035))
        parts.append(box((-0.08, -1.25, height - 0.05), (0.08, -0.85, height + 0.06), 0.5))
    else:
        parts.append(lathe([(0.1, height), (0.2, height + 0.35), (0.02, height + 0.5)], 8))
    metal = paint.plain(np.full(3, rng.choice([0.1, 0.3, 0.55])), 0.1, 0.03)
    sign = box((-0.3, -0.06, 2.0), (0.3, -0.05, 2.5), 0.5)
    return item([(concatenate(parts), metal), (sign, paint.picture(0.6, 0.5, "packaging"))])


def bins(paint: RichPaint) -> Item:
    """Dust bins with lids, or stacked crates."""
    rng = paint.rng
    parts = []
    for i in range(int(rng.integers(1, 4))):
        x, h = 0.65 * (i - 1), float(rng.uniform(0.5, 1.1))
        material = paint.vivid() if rng.random() < 0.7 else paint.wood()
        parts.append((box((x - 0.27, -0.3, 0), (x + 0.27, 0.3, h), 0.3), material))
        parts.append((box((x - 0.29, -0.33, h), (x + 0.29, 0.32, h + 0.06), 0.3), paint.vivid()))
    return item(parts)


def flower_bed(paint: RichPaint, length: float, depth: float) -> Item:
    """Low plants of several kinds with blossoms, between edging stones."""
    rng = paint.rng
    parts = [(rectangle(np.array([-length / 2, -depth / 2, 0.02]), np.array([length, 0, 0]), np.array([0, depth, 0])),
              paint.textured("leaf_litter", "carpet"))]  # fmt: skip
    for _ in range(int(np.clip(length * depth * 4, 3, 22))):
        r, h = float(rng.uniform(0.12, 0.3)), float(rng.uniform(0.1, 0.35))
        at = np.array([rng.uniform(-0.5, 0.5) * (length - r), rng.uniform(-0.5, 0.5) * (depth - r), h])
        leaves = leaf_cloud(rng, 60, (r, r, h), 0.05, 0.4).moved(np.eye(3), at)
        parts.append((leaves, paint.textured("foliage", scale=2.0)))
        if rng.random() < 0.7:
            heads = leaf_cloud(rng, 25, (r, r, h), 0.025, 0.95).moved(np.eye(3), at + np.array([0, 0, 0.04]))
            parts.append((heads, paint.vivid()))
    edge = [box((x, s * depth / 2 - 0.05, 0), (x + 0.22, s * depth / 2 + 0.05, 0.1), 0.5)
            for x in np.arange(-length / 2, length / 2, 0.25) for s in (-1, 1)]  # fmt: skip
    parts.append((concatenate(edge), paint.textured("granite", "bricks")))
    return item(parts)  # pyright: ignore[reportArgumentType]


def seats(builder: WorldBuilder, paint: RichPaint, supply: Supply, x: float, y: float) -> None:
    """A garden table with chairs, a parasol and things on it."""
    rng = paint.rng
    table = supply.get("table", 1.8)
    if table is None:
        return
    table.place(builder, (x, y, 0.03), float(rng.uniform(0, np.pi)), True)
    chair = wire_chair(paint) if rng.random() < 0.6 else supply.get("chair")
    count = int(rng.integers(2, 6))
    for i in range(count if chair is not None else 0):
        a = 2 * np.pi * i / count + float(rng.normal(0, 0.2))
        reach = 0.35 + max(table.width, table.depth) / 2
        spot = (x + reach * float(np.cos(a)), y + reach * float(np.sin(a)), 0.03)
        chair.place(builder, spot, a - np.pi / 2, True)  # pyright: ignore[reportOptionalMemberAccess]
    if rng.random() < 0.5:
        cloth = lathe([(1.4, 2.1), (0.7, 2.4), (0.02, 2.6)], 8)
        shade = item([(cloth, paint.textured("fabric")), (rod((0, 0, 0), (0, 0, 2.55), 0.02), paint.metal())])
        shade.place(builder, (x, y, 0.0), float(rng.random()), True)


def shed(paint: RichPaint, width: float, depth: float, height: float) -> Item:
    """A wooden hut with a pent roof and a door."""
    wall = paint.textured("worn_boards", "siding")
    hut = box((-width / 2, -depth / 2, 0), (width / 2, depth / 2, height), 0.4)
    door = box((-0.4, -depth / 2 - 0.03, 0), (0.4, -depth / 2, min(1.9, height - 0.1)), 0.5)
    a, b = width / 2 + 0.2, depth / 2 + 0.25
    roof = rectangle(np.array([-a, -b, height + 0.1]), np.array([2 * a, 0, 0]), np.array([0, 2 * b, 0.5]), 0.5)
    under = roof.moved(np.eye(3), np.array([0, 0, -0.08])).flipped()
    return item([(hut, wall), (door, paint.front()), (concatenate([roof, under]), paint.textured("roof"))])


def hose(paint: RichPaint) -> Item:
    """A garden hose in loose loops on the ground."""
    t = np.linspace(0, float(paint.rng.uniform(8, 20)), 60)
    r = 0.35 + 0.03 * t + 0.05 * np.sin(3 * t)
    points = np.stack([r * np.cos(t), r * np.sin(t) * 0.8, 0.03 + 0.004 * t], 1)
    return item([(tube(points, 0.012, 5), paint.vivid())])


def overhead_wires(builder: WorldBuilder, paint: RichPaint, xs: list[float], y: float) -> None:
    """Wooden poles along x with wires between them."""
    rng = paint.rng
    height, wood = float(rng.uniform(5, 7)), paint.textured("knotty_wood")
    dark = paint.plain(np.full(3, 0.05))
    for x in xs:
        arm = box((x - 0.05, y - 0.8, height), (x + 0.05, y + 0.8, height + 0.1))
        builder.add(concatenate([rod((x, y, 0), (x, y, height + 0.4), 0.1), arm]), wood, True)
    for a, b in itertools.pairwise(xs):
        wires = [sagging(np.array([a, y + s, height + 0.1]), np.array([b, y + s, height + 0.1]), 0.35, 0.018)
                 for s in (-0.7, 0.0, 0.7)]  # fmt: skip
        builder.add(concatenate(wires), dark, True)
