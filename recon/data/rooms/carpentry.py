"""Procedural furniture: tables, chairs, shelves, cupboards, sofas, beds, lamps."""

import itertools

import numpy as np

from recon.data.rooms.item import Item, item
from recon.data.rooms.mesh import Corner, MeshPart, box, concatenate, cylinder, lathe
from recon.data.rooms.paint import Paint


def _legs(width: float, depth: float, height: float, thick: float, inset: float = 0.03) -> MeshPart:
    legs = []
    for x in (-1, 1):
        for y in (-1, 1):
            cx, cy = x * (width / 2 - inset - thick / 2), y * (depth / 2 - inset - thick / 2)
            legs.append(box((cx - thick / 2, cy - thick / 2, 0), (cx + thick / 2, cy + thick / 2, height)))
    return concatenate(legs)


def table(paint: Paint, width: float, depth: float, height: float) -> Item:
    """A table with four legs or a pedestal."""
    rng = paint.rng
    thick = float(rng.uniform(0.02, 0.05))
    top_material = paint.wood() if rng.random() < 0.8 else paint.textured("marble", mirror=0.045, specular=0.05)
    if rng.random() < 0.25:
        radius = min(width, depth) / 2
        top = cylinder(radius, thick, 32).moved(np.eye(3), np.array([0, 0, height - thick]))
        foot = lathe([(radius * 0.6, 0), (radius * 0.55, 0.03), (0.05, 0.08), (0.04, height - thick)], 20)
        return item([(top, top_material), (foot, top_material)], height)
    top = box((-width / 2, -depth / 2, height - thick), (width / 2, depth / 2, height), 0.12)
    legs = _legs(width, depth, height - thick, float(rng.uniform(0.035, 0.08)))
    rail_height = height - thick - 0.08
    rails = box(
        (-width / 2 + 0.06, -depth / 2 + 0.06, rail_height), (width / 2 - 0.06, depth / 2 - 0.06, height - thick)
    )
    return item([(top, top_material), (legs, paint.wood()), (rails, top_material)], height)


def chair(paint: Paint) -> Item:
    """A dining chair with a slatted or closed back."""
    rng = paint.rng
    wood = paint.wood()
    seat_height, width = 0.45, float(rng.uniform(0.4, 0.48))
    seat = box((-width / 2, -width / 2, seat_height - 0.04), (width / 2, width / 2, seat_height), 0.2)
    seat_material = paint.textured("fabric") if rng.random() < 0.5 else wood
    back_top = float(rng.uniform(0.82, 1.02))
    posts = [
        box((x - 0.02, width / 2 - 0.04, seat_height), (x + 0.02, width / 2, back_top))
        for x in (-width / 2 + 0.02, width / 2 - 0.02)
    ]
    if rng.random() < 0.5:
        slats = int(rng.integers(2, 5))
        heights = np.linspace(seat_height + 0.12, back_top - 0.05, slats)
        posts += [box((-width / 2, width / 2 - 0.035, z), (width / 2, width / 2 - 0.01, z + 0.05)) for z in heights]
    else:
        posts.append(box((-width / 2, width / 2 - 0.035, seat_height + 0.1), (width / 2, width / 2 - 0.01, back_top)))
    return item(
        [
            (seat, seat_material),
            (_legs(width, width, seat_height - 0.04, 0.035, 0.01), wood),
            (concatenate(posts), wood),
        ]
    )


def cabinet(paint: Paint, width: float, depth: float, height: float) -> Item:
    """A cupboard or chest of drawers with separate fronts and handles."""
    rng = paint.rng
    body, front = paint.wood(), paint.front()
    if rng.random() < 0.6:
        front = body
    foot = float(rng.choice([0.0, 0.05, 0.1]))
    shell = box((-width / 2, -depth / 2 + 0.02, foot), (width / 2, depth / 2, height), 0.15)
    columns = max(1, round(width / rng.uniform(0.4, 0.7)))
    rows = max(1, round((height - foot) / rng.uniform(0.2, 0.9)))
    fronts, handles = [], []
    for i in range(columns):
        for j in range(rows):
            x0 = -width / 2 + i * width / columns + 0.004
            x1 = -width / 2 + (i + 1) * width / columns - 0.004
            z0 = foot + j * (height - foot) / rows + 0.004
            z1 = foot + (j + 1) * (height - foot) / rows - 0.004
            fronts += door_leaf(x0, x1, z0, z1, -depth / 2 + 0.02, rng.random() < 0.5)
            middle, top = (x0 + x1) / 2, z1 - 0.05
            handles.append(
                box((middle - 0.05, -depth / 2 - 0.025, top - 0.01), (middle + 0.05, -depth / 2 - 0.01, top))
            )
    parts = [(shell, body), (concatenate(fronts), front), (concatenate(handles), paint.metal())]
    if foot:
        parts.append((_legs(width, depth, foot, 0.04), body))
    return item(parts, height)  # pyright: ignore[reportArgumentType]


def door_leaf(x0: float, x1: float, z0: float, z1: float, y: float, framed: bool) -> list[MeshPart]:
    """A cupboard front 2 cm thick before plane y, flat or with a raised frame."""
    parts = [box((x0, y - 0.012, z0), (x1, y, z1), 0.25)]
    rim = 0.05
    if framed and x1 - x0 > 0.2 and z1 - z0 > 0.2:
        parts += [
            box((x0, y - 0.02, z0), (x0 + rim, y - 0.012, z1), 0.5),
            box((x1 - rim, y - 0.02, z0), (x1, y - 0.012, z1), 0.5),
            box((x0 + rim, y - 0.02, z0), (x1 - rim, y - 0.012, z0 + rim), 0.5),
            box((x0 + rim, y - 0.02, z1 - rim), (x1 - rim, y - 0.012, z1), 0.5),
        ]
    return parts


def bookcase(paint: Paint, width: float, height: float) -> Item:
    """Open shelves with books and boxes."""
    rng = paint.rng
    wood, depth, board = paint.wood(), 0.3, 0.022
    sides = [
        box((s * width / 2 - board / 2, -depth / 2, 0), (s * width / 2 + board / 2, depth / 2, height), 0.2)
        for s in (-1, 1)
    ]
    back = box((-width / 2, depth / 2 - 0.01, 0), (width / 2, depth / 2, height), 0.25)
    levels = np.linspace(0.05, height - board, max(3, round(height / 0.36)))
    boards = [box((-width / 2, -depth / 2, z), (width / 2, depth / 2, z + board), 0.25) for z in levels]
    parts = [(concatenate([*sides, *boards, back]), wood)]
    for z, above in itertools.pairwise(levels):
        x = -width / 2 + 0.03
        while x < width / 2 - 0.15:
            run = float(min(rng.uniform(0.1, 0.5), width / 2 - 0.03 - x))
            kind = rng.random()
            high = float((above - z - board) * rng.uniform(0.6, 0.92))
            low = z + board
            if kind < 0.55:
                books = box((x, -depth / 2 + 0.05, low), (x + run, depth / 2 - 0.05, low + high), 0.3)
                parts.append((books, paint.picture(max(run, 0.45), high, "book_row")))
            elif kind < 0.75:
                cover = box((x, -depth / 2 + 0.04, low), (x + min(run, 0.2), depth / 2 - 0.08, low + high * 0.7), 0.3)
                parts.append((cover, paint.picture(0.2, high, "packaging")))
            x += run + float(rng.choice([0.01, 0.05]))
    return item(parts, height)  # pyright: ignore[reportArgumentType]


def _cushion(low: Corner, high: Corner, puff: float) -> MeshPart:
    """A box with bulging faces."""
    part = box(low, high, 0.09)
    centre, half = (np.array(high) + low) / 2, (np.array(high) - low) / 2
    local = (part.positions - centre) / half
    for axis in range(3):
        others = [a for a in range(3) if a != axis]
        bulge = (1 - local[:, others[0]] ** 2) * (1 - local[:, others[1]] ** 2)
        local[:, axis] *= 1 + puff * np.sqrt(np.clip(bulge, 0, 1)) * (np.abs(local[:, axis]) > 0.99)
    positions = (local * half * (1 - 0.25 * puff) + centre).astype(np.float32)
    normals = part.normals + 0.9 * puff * local.astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return MeshPart(positions, normals.astype(np.float32), part.uvs, part.faces, positions)


def sofa(paint: Paint, width: float) -> Item:
    """A sofa or armchair with loose cushions."""
    rng = paint.rng
    cloth = paint.textured("fabric")
    other = paint.textured("fabric")
    depth, seat, arm, back = 0.9, 0.42, float(rng.uniform(0.12, 0.22)), float(rng.uniform(0.7, 0.9))
    base = box((-width / 2, -depth / 2, 0.08), (width / 2, depth / 2, seat - 0.14), 0.15)
    rest = _cushion((-width / 2, depth / 2 - 0.22, 0.1), (width / 2, depth / 2, back), 0.06)
    arms = [
        _cushion((x, -depth / 2, 0.08), (x + arm, depth / 2 - 0.1, seat + 0.18), 0.08)
        for x in (-width / 2, width / 2 - arm)
    ]
    count = max(1, round((width - 2 * arm) / 0.7))
    pitch = (width - 2 * arm) / count
    seats, pillows = [], []
    for i in range(count):
        x0 = -width / 2 + arm + i * pitch
        seats.append(_cushion((x0, -depth / 2, seat - 0.14), (x0 + pitch, depth / 2 - 0.2, seat + 0.02), 0.12))
        seats.append(_cushion((x0, depth / 2 - 0.38, seat), (x0 + pitch, depth / 2 - 0.18, back + 0.03), 0.25))
        if rng.random() < 0.5:
            side = float(rng.uniform(0.36, 0.46))
            pillow = _cushion((-side / 2, -0.07, 0), (side / 2, 0.07, side), 0.5)
            pillows.append(pillow.moved(_lean(0.35), np.array([x0 + pitch / 2, depth / 2 - 0.46, seat + 0.03])))
    parts = [(concatenate([base, rest, *arms, *seats]), cloth)]
    if pillows:
        parts.append((concatenate(pillows), other))
    return item(parts)  # pyright: ignore[reportArgumentType]


def _lean(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, s], [0, -s, c]])


def bed(paint: Paint, width: float) -> Item:
    """A made bed: frame, mattress, blanket, pillows, headboard at +y."""
    rng = paint.rng
    length, wood = 2.05, paint.wood()
    blanket, sheet = paint.textured("fabric", scale=float(rng.uniform(1, 2))), paint.textured("fabric")
    frame = box((-width / 2, -length / 2, 0.1), (width / 2, length / 2, 0.3), 0.2)
    head = box((-width / 2 - 0.03, length / 2 - 0.05, 0), (width / 2 + 0.03, length / 2, rng.uniform(0.8, 1.2)), 0.15)
    mattress = _cushion((-width / 2, -length / 2, 0.3), (width / 2, length / 2 - 0.06, 0.5), 0.05)
    fall = _cushion((-width / 2 - 0.03, -length / 2 - 0.03, 0.28), (width / 2 + 0.03, length / 2 - 0.6, 0.55), 0.07)
    pillows = []
    for x in np.linspace(-width / 4, width / 4, 2 if width > 1.2 else 1):
        x = x if width > 1.2 else 0.0
        pillows.append(_cushion((x - 0.33, length / 2 - 0.55, 0.5), (x + 0.33, length / 2 - 0.12, 0.64), 0.45))
    white = paint.plain(np.full(3, 0.9)) if rng.random() < 0.6 else sheet
    return item([(concatenate([frame, head]), wood), (mattress, white), (fall, blanket), (concatenate(pillows), white)])


def standing_lamp(paint: Paint, height: float) -> tuple[Item, float]:
    """A lamp with a shade (floor or table); returns it and the height of its bulb."""
    rng = paint.rng
    radius = float(np.clip(0.13 * height + 0.06, 0.1, 0.26))
    pole = lathe([(radius * 0.8, 0), (radius * 0.8, 0.02), (0.012, 0.04), (0.012, height - 0.05)], 14)
    shade_low, shade_top = height - 1.3 * radius, height
    shade = lathe([(radius, shade_low), (radius * rng.uniform(0.5, 1), shade_top)], 20)
    glow = float(rng.uniform(0.6, 3.0))
    warm = (glow, 0.82 * glow, 0.55 * glow)
    return item([(pole, paint.metal()), (shade, paint.glowing(warm))]), (shade_low + shade_top) / 2


def pendant(paint: Paint, drop: float) -> Item:
    """A lamp that hangs `drop` metres; its origin is `drop` below the ceiling."""
    rng = paint.rng
    radius = float(rng.uniform(0.1, 0.25))
    glow = float(rng.uniform(1.0, 4.0))
    cord = cylinder(0.006, drop - 0.15, 6).moved(np.eye(3), np.array([0, 0, 0.15]))
    if rng.random() < 0.4:
        ball = lathe([(radius * np.cos(a), radius * np.sin(a)) for a in np.linspace(-1.5, 1.5, 9)], 18)
        return item([(cord, paint.metal()), (ball, paint.glowing((glow, 0.9 * glow, 0.7 * glow)))])
    shade = lathe([(radius, -0.12), (radius * 0.4, 0.12), (0.02, 0.15)], 20)
    bulb = lathe([(1e-3, -0.1), (0.04, -0.06), (0.03, 0.0)], 10)
    return item(
        [(cord, paint.metal()), (shade, paint.vivid()), (bulb, paint.glowing((3 * glow, 2.7 * glow, 2 * glow)))]
    )


def flat_screen(paint: Paint, width: float) -> Item:
    """A switched-off television on a foot; its glass mirrors the room."""
    height = width * 0.57
    frame = box((-width / 2, -0.02, 0.06), (width / 2, 0.03, 0.06 + height), 0.3)
    glass = box((-width / 2 + 0.012, -0.024, 0.072), (width / 2 - 0.012, -0.02, 0.048 + height), 0.3)
    foot = box((-width / 5, -0.1, 0), (width / 5, 0.1, 0.06))
    black = paint.plain(np.full(3, 0.08))
    return item([(concatenate([frame, foot]), black), (glass, paint.plain(np.full(3, 0.04), mirror=0.05))])
