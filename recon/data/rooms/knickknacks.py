"""The odds and ends that lie about in lived-in rooms, and how they crowd on a top."""

import numpy as np

from recon.data.rooms.clutter import leaf_cloud, small_thing
from recon.data.rooms.item import Item, item
from recon.data.rooms.mesh import MeshPart, box, concatenate, cylinder, lathe, rotation_z, sphere
from recon.data.rooms.paint import RichPaint
from recon.data.rooms.thin import arc, rod, tube, twigs

ORIGIN = np.zeros(3)


def _tilted(part: MeshPart, angle: float, shift: np.ndarray) -> MeshPart:
    """Turned about x by `angle` (positive leans back, towards +y), then moved."""
    c, s = np.cos(angle), np.sin(angle)
    return part.moved(np.array([[1, 0, 0], [0, c, s], [0, -s, c]]), shift)


def _ellipsoid(radius: float, scale: tuple[float, float, float], centre: np.ndarray) -> MeshPart:
    """A ball stretched by `scale`."""
    ball, stretch = sphere(radius, 8), np.array(scale, np.float32)
    normals = ball.normals / stretch
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    positions = ball.positions * stretch + centre.astype(np.float32)
    return MeshPart(positions, normals, ball.uvs, ball.faces, positions)


def bottle(paint: RichPaint) -> Item:
    """A bottle or jar with a label and a stopper."""
    rng = paint.rng
    r, body = float(rng.uniform(0.025, 0.06)), float(rng.uniform(0.08, 0.24))
    neck, long = r * float(rng.uniform(0.25, 0.9)), float(rng.uniform(0.02, 0.1))
    top = body + r + long
    glass = lathe([(1e-3, 0), (r, 0), (r, body), (neck, body + r), (neck, top), (1e-3, top)], 14)
    band = lathe([(r + 0.001, 0.2 * body), (r + 0.001, 0.8 * body)], 14)
    cap = cylinder(neck * 1.15, 0.02, 10).moved(np.eye(3), np.array([0, 0, top]))
    return item([(glass, paint.glazed()), (band, paint.picture(5 * r, body, "packaging")), (cap, paint.vivid())])


def mug(paint: RichPaint) -> Item:
    """A cup with a handle, or a stack of bowls."""
    rng = paint.rng
    r, h = float(rng.uniform(0.03, 0.05)), float(rng.uniform(0.06, 0.11))
    if rng.random() < 0.3:
        bowls = [
            lathe([(0.6 * r, 0), (2 * r, 0.05), (1.9 * r, 0.05), (1e-3, 0.01)], 18).moved(
                np.eye(3), np.array([0, 0, 0.018 * i])
            )
            for i in range(int(rng.integers(1, 6)))
        ]
        return item([(concatenate(bowls), paint.glazed())])
    wall = lathe([(1e-3, 0), (0.9 * r, 0), (r, h), (0.9 * r, h), (0.8 * r, 0.02)], 16)
    ear = arc(np.array([r, 0, h / 2]), np.array([0.025, 0, 0]), np.array([0, 0, 0.35 * h]), (-1.6, 1.6), 0.005)
    return item([(concatenate([wall, ear]), paint.glazed())])


def photo_frame(paint: RichPaint) -> Item:
    """A picture in a frame that leans on its foot."""
    rng = paint.rng
    w, h = float(rng.uniform(0.1, 0.28)), float(rng.uniform(0.12, 0.32))
    rim = float(rng.uniform(0.01, 0.03))
    frame = _tilted(box((-w / 2 - rim, 0, 0), (w / 2 + rim, 0.015, h + 2 * rim), 0.3), 0.2, ORIGIN)
    sheet = _tilted(box((-w / 2, -0.002, rim), (w / 2, 0.0, h + rim), 0.3), 0.2, ORIGIN)
    dark = paint.plain(np.full(3, rng.choice([0.07, 0.9]))) if rng.random() < 0.5 else paint.wood()
    return item([(frame, dark), (sheet, paint.picture(w, h, "painting", mirror=float(rng.choice([0, 0.04]))))])


def books_upright(paint: RichPaint) -> Item:
    """A row of single books of different sizes, the last one leaning."""
    rng = paint.rng
    parts, x = [], 0.0
    count = int(rng.integers(3, 12))
    for i in range(count):
        w, d, h = rng.uniform(0.012, 0.05), rng.uniform(0.11, 0.2), rng.uniform(0.16, 0.3)
        book = box((0, -d / 2, 0), (w, d / 2, h), 0.4)
        if i == count - 1:
            c, s = np.cos(0.25), np.sin(0.25)
            book = book.moved(np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]), np.array([0.07, 0, 0]))
        cover = paint.vivid() if rng.random() < 0.5 else paint.picture(float(w), float(h), "packaging")
        parts.append((book.moved(np.eye(3), np.array([x, 0, 0])), cover))
        x += float(w) + 0.001
    return item([(p.moved(np.eye(3), np.array([-x / 2, 0, 0])), m) for p, m in parts])


def flowers(paint: RichPaint) -> Item:
    """A vase with stems and blossoms or bare twigs."""
    rng = paint.rng
    h, r = float(rng.uniform(0.12, 0.3)), float(rng.uniform(0.03, 0.07))
    pot = lathe([(1e-3, 0), (0.7 * r, 0), (r, 0.4 * h), (0.5 * r, 0.85 * h), (0.6 * r, h), (0.5 * r, h)], 16)
    stems, tips = twigs(rng, int(rng.integers(3, 9)), float(rng.uniform(0.2, 0.5)), float(rng.uniform(0.002, 0.004)))
    lift = np.array([0, 0, 0.6 * h])
    parts = [(pot, paint.glazed()), (stems.moved(np.eye(3), lift), paint.wood())]
    if rng.random() < 0.8:
        size = float(rng.uniform(0.015, 0.045))
        heads = [leaf_cloud(rng, 14, (size, size, size), 0.7 * size, 0.3).moved(np.eye(3), lift + tip) for tip in tips]
        leaves = leaf_cloud(rng, 30, (0.1, 0.1, 0.1), 0.04).moved(np.eye(3), np.array([0, 0, h + 0.08]))
        parts += [(concatenate(heads), paint.vivid()), (leaves, paint.textured("foliage"))]
    return item(parts)  # pyright: ignore[reportArgumentType]


def utensils(paint: RichPaint) -> Item:
    """A jar of spoons, pencils or brushes."""
    rng = paint.rng
    r, h = float(rng.uniform(0.04, 0.06)), float(rng.uniform(0.1, 0.16))
    jar = lathe([(1e-3, 0), (r, 0), (r, h), (0.92 * r, h), (0.9 * r, 0.02)], 16)
    sticks = []
    for _ in range(int(rng.integers(4, 11))):
        a, lean, length = rng.uniform(0, 6.28), rng.uniform(0.3, 1.1) * r, h + rng.uniform(0.06, 0.2)
        end = (lean * 1.8 * np.cos(a), lean * 1.8 * np.sin(a), length)
        sticks.append(rod((0.5 * lean * np.cos(a + 2), 0.5 * lean * np.sin(a + 2), 0.02), end, 0.004))
        if rng.random() < 0.6:
            sticks.append(_ellipsoid(0.016, (1.0, 0.4, 1.5), np.array(end)))
    return item([(jar, paint.glazed()), (concatenate(sticks), paint.metal() if rng.random() < 0.5 else paint.wood())])


def fruits(paint: RichPaint) -> Item:
    """Fruit lying loose or in a wire basket."""
    rng = paint.rng
    balls = []
    for i in range(int(rng.integers(3, 9))):
        place = np.array([0.055 * (i % 3 - 1), 0.055 * (i // 3 - 1), 0.04]) + rng.normal(0, 0.006, 3)
        balls.append(sphere(float(rng.uniform(0.028, 0.045)), 10).moved(np.eye(3), place))
    half = max(1, len(balls) // 2)
    parts = [(concatenate(balls[:half]), paint.vivid()), (concatenate(balls[half:]), paint.vivid())]
    if rng.random() < 0.5:
        x, y = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
        hoops = [arc(np.array([0, 0, z]), (0.09 + z) * x, (0.09 + z) * y, (0.0, 6.29), 0.003) for z in (0, 0.04, 0.08)]
        ribs = [rod((0.09 * np.cos(a), 0.09 * np.sin(a), 0), (0.17 * np.cos(a), 0.17 * np.sin(a), 0.08), 0.003)
                for a in np.arange(12) * np.pi / 6]  # fmt: skip
        parts.append((concatenate([*hoops, *ribs]), paint.metal()))
    return item(parts)  # pyright: ignore[reportArgumentType]


def candles(paint: RichPaint) -> Item:
    """Candle sticks of different heights."""
    rng = paint.rng
    sticks, wax = [], []
    for i in range(int(rng.integers(1, 4))):
        h, at = float(rng.uniform(0.05, 0.3)), np.array([0.09 * i - 0.09, rng.uniform(-0.03, 0.03), 0])
        sticks.append(lathe([(0.04, 0), (0.04, 0.01), (0.008, 0.02), (0.008, h), (0.025, h)], 12).moved(np.eye(3), at))
        wax.append(cylinder(0.012, float(rng.uniform(0.06, 0.2)), 8).moved(np.eye(3), at + np.array([0, 0, h])))
    return item([(concatenate(sticks), paint.metal()), (concatenate(wax), paint.vivid())])


def blocks(paint: RichPaint) -> Item:
    """Toy bricks, dice and balls in a heap."""
    rng = paint.rng
    parts = []
    for i in range(int(rng.integers(4, 12))):
        e = float(rng.uniform(0.02, 0.045))
        place = np.array([*rng.uniform(-0.11, 0.11, 2), 0.04 * (i // 6)])
        body = box((-e, -e, 0), (e, e, 1.6 * e), 0.3) if rng.random() < 0.75 else cylinder(e, 2 * e, 10)
        parts.append((body.moved(rotation_z(rng.uniform(0, 6)), place), paint.vivid()))
    return item(parts)


def stuffed_animal(paint: RichPaint) -> Item:
    """A sitting bear of balls."""
    scale = float(paint.rng.uniform(0.7, 1.5))
    balls = [((0, 0, 0.08), 0.08), ((0, 0, 0.2), 0.06), ((0.05, 0, 0.26), 0.022), ((-0.05, 0, 0.26), 0.022),
             ((0.08, -0.05, 0.11), 0.03), ((-0.08, -0.05, 0.11), 0.03), ((0.06, -0.09, 0.03), 0.035),
             ((-0.06, -0.09, 0.03), 0.035), ((0, -0.055, 0.19), 0.025)]  # fmt: skip
    body = [sphere(r * scale, 10).moved(np.eye(3), np.array(p) * scale) for p, r in balls]
    return item([(concatenate(body), paint.textured("fabric", "carpet", scale=0.6))])


def papers(paint: RichPaint) -> Item:
    """Magazines, letters and notes strewn over each other."""
    rng = paint.rng
    parts = []
    for i in range(int(rng.integers(1, 6))):
        w, d = float(rng.uniform(0.1, 0.22)), float(rng.uniform(0.14, 0.3))
        sheet = box((-w / 2, -d / 2, 0), (w / 2, d / 2, 0.003), 0.3)
        shift = np.array([*rng.normal(0, 0.05, 2), 0.0035 * i])
        parts.append((sheet.moved(rotation_z(rng.uniform(0, 6)), shift), paint.picture(w, d, "packaging")))
    return item(parts)


def device(paint: RichPaint) -> Item:
    """A laptop, a radio, a toaster or a microwave oven."""
    rng = paint.rng
    kind, gray = rng.integers(3), paint.plain(np.full(3, rng.choice([0.05, 0.4, 0.85])), 0.15, 0.05)
    if kind == 0:
        base = box((-0.16, -0.11, 0), (0.16, 0.11, 0.015), 0.3)
        lid = _tilted(box((-0.16, 0.0, 0), (0.16, 0.01, 0.22), 0.3), 0.25, np.array([0, 0.11, 0.01]))
        screen = _tilted(box((-0.15, -0.002, 0.01), (0.15, 0.0, 0.21), 0.3), 0.25, np.array([0, 0.11, 0.01]))
        return item([(concatenate([base, lid]), gray), (screen, paint.picture(0.3, 0.2, "painting", mirror=0.05))])
    w, d, h = (float(v) for v in rng.uniform((0.2, 0.12, 0.12), (0.48, 0.34, 0.28)))
    body = box((-w / 2, -d / 2, 0), (w / 2, d / 2, h), 0.2)
    face = box((-w / 2 + 0.02, -d / 2 - 0.004, 0.02), (w / 4, -d / 2, h - 0.02), 0.3)
    knobs = [cylinder(0.014, 0.012, 10).moved(np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
             np.array([0.37 * w, -d / 2, z])) for z in np.linspace(0.25 * h, 0.8 * h, 3)]  # fmt: skip
    cord = tube(np.array([[w / 2, d / 3, 0.03], [w / 2 + 0.06, d / 3, 0.005], [w / 2 + 0.1, d / 2, 0.004]]), 0.004)
    black = paint.plain(np.full(3, 0.04), 0.1, 0.07)
    return item([(body, gray), (face, black), (concatenate(knobs), paint.metal()), (cord, black)])


def cushion(paint: RichPaint, side: float = 0.42) -> Item:
    """A scatter cushion lying or leaning."""
    body = sphere(1.0, 16).moved(np.eye(3), ORIGIN)
    shape = np.sign(body.positions) * np.abs(body.positions) ** 0.6 * np.array([side / 2, side / 2, 0.08], np.float32)
    puffed = MeshPart(shape, body.normals, shape[:, :2].copy(), body.faces, shape)
    lean = float(paint.rng.choice([0.0, 1.1]))
    lift = np.array([0, 0, 0.08 if lean == 0 else side / 2])
    return item([(_tilted(puffed, -lean, lift), paint.textured("fabric"))])


def ornament(paint: RichPaint) -> Item:
    """A turned or stacked figure, a globe, a clock."""
    rng = paint.rng
    h = float(rng.uniform(0.1, 0.35))
    if rng.random() < 0.3:
        upright = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
        face = cylinder(0.07, 0.03, 20).moved(upright, np.array([0, 0.015, 0.09]))
        foot = box((-0.06, -0.02, 0), (0.06, 0.03, 0.03), 0.3)
        return item([(face, paint.picture(0.14, 0.14, "packaging")), (foot, paint.wood())])
    radius = rng.uniform(0.1, 0.4, 8) * h / 2
    profile = [(1e-3, 0.0), *zip(radius.tolist(), np.linspace(0, h, 8).tolist(), strict=True), (1e-3, h)]
    return item([(lathe(profile, 16), paint.metal() if rng.random() < 0.4 else paint.glazed())])


MAKERS = (bottle, bottle, mug, photo_frame, books_upright, flowers, utensils, fruits, candles, blocks, stuffed_animal,
          papers, device, ornament, small_thing)  # fmt: skip
KITCHEN_MAKERS = (bottle, bottle, bottle, mug, mug, utensils, fruits, flowers, papers, device, small_thing, photo_frame)


def knickknack(paint: RichPaint, kitchen: bool = False) -> Item:
    """Any of them; of kitchens, if so wished."""
    makers = KITCHEN_MAKERS if kitchen else MAKERS
    return makers[int(paint.rng.integers(len(makers)))](paint)


def crowd(
    paint: RichPaint, width: float, depth: float, count: int, highest: float = 0.6, kitchen: bool = False
) -> list[tuple[Item, float, float]]:
    """Up to `count` things on a top of width x depth around the origin, none within another: (thing, x, y)."""
    rng, placed = paint.rng, []
    for _ in range(count):
        thing = knickknack(paint, kitchen)
        reach = 0.5 * float(np.hypot(thing.width, thing.depth))
        if thing.height > highest or min(thing.width, thing.depth) > depth or thing.width > width:
            continue
        for _ in range(4):
            x, y = (float(rng.uniform(-0.5, 0.5) * max(s - 0.8 * t, 0)) for s, t in
                    ((width, thing.width), (depth, thing.depth)))  # fmt: skip
            if all(np.hypot(x - a, y - b) > 0.8 * (reach + r) for _, a, b, r in placed):
                placed.append((thing, x, y, reach))
                break
    return [(thing, x, y) for thing, x, y, _ in placed]
