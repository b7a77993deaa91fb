"""What hangs on walls and ceilings: pictures, mirrors, curtains, blinds, radiators, lamps, beams, doors."""

import numpy as np

from recon.data.rooms.carpentry import pendant
from recon.data.rooms.mesh import MeshPart, box, concatenate, cylinder, grid_faces, lathe, rotation_z
from recon.data.rooms.paint import Paint, RichPaint
from recon.data.rooms.plan import Opening, Room, Wall
from recon.data.rooms.shell import RoomSurfaces, on_wall, panel
from recon.data.rooms.wall_things import hang_details, slat_blind
from recon.data.rooms.world import Lamp, Material, WorldBuilder


def framed_picture(
    builder: WorldBuilder, paint: Paint, wall: Wall, middle: float, z: float, width: float, height: float
) -> None:
    """A picture or mirror in a frame, centred on (middle, z)."""
    rng = paint.rng
    rim, thick = float(rng.uniform(0.01, 0.06)), 0.025
    x0, x1, z0, z1 = middle - width / 2, middle + width / 2, z - height / 2, z + height / 2
    frame = concatenate([
        box((x0 - rim, 0, z0 - rim), (x1 + rim, thick, z0), 0.5),
        box((x0 - rim, 0, z1), (x1 + rim, thick, z1 + rim), 0.5),
        box((x0 - rim, 0, z0), (x0, thick, z1), 0.5),
        box((x1, 0, z0), (x1 + rim, thick, z1), 0.5),
    ])  # fmt: skip
    builder.add(
        on_wall(wall, frame), paint.wood() if rng.random() < 0.5 else paint.plain(np.full(3, rng.choice([0.08, 0.9])))
    )
    surface = paint.picture(width, height, "painting", mirror=float(rng.choice([0.0, 0.04])))
    if rng.random() < 0.12:
        surface = Material((0.05, 0.05, 0.05), mirror=0.88)
    picture = panel(0.0, width, 0.0, height)
    picture = picture.moved(np.eye(3), np.array([x0, 0.012, z0]))
    builder.add(on_wall(wall, picture), surface)


def hang_pictures(builder: WorldBuilder, paint: Paint, room: Room) -> None:
    """Pictures on free walls, single, in rows or large."""
    rng = paint.rng
    for wall in room.walls:
        if rng.random() < 0.35 or wall.length < 0.8:
            continue
        count = int(rng.choice([1, 1, 2, 3]))
        width = float(rng.uniform(0.25, min(1.3, 0.7 * wall.length / count)))
        height = float(np.clip(width * rng.choice([0.7, 1.0, 1.35]), 0.2, 1.1))
        middle = float(rng.uniform(0.25, 0.75)) * wall.length
        z = float(rng.uniform(1.45, 1.7))
        for i in range(count):
            x = middle + (i - (count - 1) / 2) * (width + 0.15)
            inside = x - width / 2 > 0.1 and x + width / 2 < wall.length - 0.1
            if inside and wall.free(x - width / 2, x + width / 2, z - height / 2, z + height / 2, 0.12):
                framed_picture(builder, paint, wall, x, z, width, height)


def curtain(width: float, height: float, folds: int, rng: np.random.Generator) -> MeshPart:
    """A pleated sheet `width` wide and `height` high, standing on the origin along x."""
    num_u, num_v = 8 * folds + 1, 9
    u, v = np.meshgrid(np.linspace(0, 1, num_u), np.linspace(0, 1, num_v))
    phase = 2 * np.pi * folds * u + rng.uniform(0, 6) + 0.4 * np.sin(3 * u + 2 * v)
    amplitude = 0.035 * (1.15 - 0.4 * v)
    positions = np.stack([u * width, amplitude * np.sin(phase), v * height], -1).reshape(-1, 3).astype(np.float32)
    slope = amplitude * np.cos(phase) * 2 * np.pi * folds / max(width, 0.1)
    normals = np.stack([-slope, np.ones_like(slope), np.zeros_like(slope)], -1).reshape(-1, 3)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    uvs = np.stack([1.6 * u * width, v * height], -1).reshape(-1, 2).astype(np.float32)
    lifted = positions + 0.03 * normals.astype(np.float32)
    return MeshPart(positions, normals.astype(np.float32), uvs, grid_faces(num_u, num_v), lifted)


def dress_window(builder: WorldBuilder, paint: Paint, room: Room, wall: Wall, hole: Opening, cloth: Material) -> None:
    """Curtains, a blind or a radiator, or nothing."""
    rng = paint.rng
    if rng.random() < 0.5:
        top = min(hole.top + 0.15, room.height - 0.05)
        bottom = 0.03 if rng.random() < 0.7 else max(hole.bottom - 0.15, 0.03)
        for side in (0, 1):
            width = float(rng.uniform(0.18, 0.45))
            x = hole.start - 0.6 * width if side == 0 else hole.end - 0.4 * width
            if x < 0.02 or x + width > wall.length - 0.02:
                continue
            sheet = curtain(width, top - bottom, int(rng.integers(3, 7)), rng).moved(
                np.eye(3), np.array([x, 0.12, bottom])
            )
            builder.add(on_wall(wall, sheet), cloth)
        rod = box(
            (max(hole.start - 0.3, 0.02), 0.1, top), (min(hole.end + 0.3, wall.length - 0.02), 0.125, top + 0.025), 1.0
        )
        builder.add(on_wall(wall, rod), paint.metal())
    elif rng.random() < 0.4:
        low = hole.top - float(rng.uniform(0.15, 0.75)) * (hole.top - hole.bottom)
        sheet = panel(hole.start + 0.02, hole.end - 0.02, low, hole.top, -0.03)
        builder.add(on_wall(wall, sheet), paint.textured("blinds") if rng.random() < 0.6 else cloth)
    if hole.bottom > 0.6 and rng.random() < 0.4:
        width = min(hole.end - hole.start, 1.4)
        middle = (hole.start + hole.end) / 2
        ribs = np.arange(middle - width / 2, middle + width / 2 - 0.03, 0.06)
        parts = [box((float(x), 0.05, 0.15), (float(x) + 0.045, 0.12, hole.bottom - 0.12), 1.0) for x in ribs]
        parts.append(box((middle - width / 2, 0.03, 0.17), (middle + width / 2, 0.06, hole.bottom - 0.14), 0.4))
        builder.add(on_wall(wall, concatenate(parts)), paint.plain(np.full(3, 0.92), 0.03))


def hang_doors(builder: WorldBuilder, paint: Paint, room: Room, trim: Material) -> None:
    """Closed door leaves, and open ones that stand in the room."""
    rng = paint.rng
    material = trim if rng.random() < 0.6 else paint.wood()
    for wall in room.walls:
        for hole in wall.openings:
            width, height = hole.end - hole.start, hole.top - 0.008
            if hole.kind not in ("closed", "door") or (hole.kind == "door" and rng.random() < 0.6):
                continue
            leaf = concatenate([*_leaf(width - 0.02, height, rng)])
            if hole.kind == "closed":
                placed = leaf.moved(np.eye(3), np.array([hole.start + 0.01, 0.0, 0.004]))
            else:
                turn = float(rng.uniform(1.35, 1.7))
                placed = leaf.moved(rotation_z(turn), np.array([hole.start + 0.02, 0.02, 0.004]))
            builder.add(on_wall(wall, placed), material)


def _leaf(width: float, height: float, rng: np.random.Generator) -> list[MeshPart]:
    """A door leaf with raised fields and a handle, from the origin along x, 4 cm thick."""
    parts = [box((0, 0, 0), (width, 0.04, height), 0.25)]
    columns, rows = int(rng.integers(1, 3)), int(rng.integers(1, 4))
    for i in range(columns):
        for j in range(rows):
            x0, x1 = (0.11 + (width - 0.16) * (i + k) / columns - 0.06 * k for k in (0, 1))
            z0, z1 = (0.15 + (height - 0.25) * (j + k) / rows - 0.08 * k for k in (0, 1))
            for side in (-1, 1):
                y = 0.04 if side > 0 else -0.008
                parts.append(box((x0, y, z0), (x1 - 0.05, y + 0.008, z1), 0.4))
    knob = cylinder(0.012, 0.16, 8).moved(
        np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]), np.array([width - 0.06, -0.06, 1.0])
    )
    return [*parts, knob]


def light_ceiling(builder: WorldBuilder, paint: Paint, room: Room, strength: float) -> None:
    """Downlights, a pendant or a flat lamp; `strength` 0 leaves them dark."""
    rng = paint.rng
    x0, y0, x1, y1 = room.rect
    glow = max(strength, 0.02) * float(rng.uniform(0.7, 1.4))
    color = (glow, 0.88 * glow, 0.68 * glow) if rng.random() < 0.7 else (glow, glow, glow)
    kind = rng.random()
    if kind < 0.4:
        columns, rows = max(1, round((x1 - x0) / 1.6)), max(1, round((y1 - y0) / 1.6))
        spot = paint.glowing((8 * color[0], 8 * color[1], 8 * color[2]))
        share = 2.2 / (columns * rows) * room.area / 12
        for i in range(columns):
            for j in range(rows):
                x, y = x0 + (i + 0.5) * (x1 - x0) / columns, y0 + (j + 0.5) * (y1 - y0) / rows
                disc = lathe([(0.045, 0), (1e-3, 0.0)], 12).flipped()
                builder.add(disc.moved(np.eye(3), np.array([x, y, room.height - 0.004])), spot)
                if columns * rows <= 6 or (i + j) % 2 == 0:
                    place = (x, y, room.height - 0.03)
                    scale = share * (1 if columns * rows <= 6 else 2)
                    builder.lighting.lamps.append(Lamp(place, 0.05, tuple(scale * c for c in color), down=True))  # pyright: ignore
        return
    x, y = (x0 + x1) / 2 + rng.uniform(-0.3, 0.3), (y0 + y1) / 2 + rng.uniform(-0.3, 0.3)
    if kind < 0.7:
        drop = float(rng.uniform(0.3, 0.6))
        pendant(paint, drop).place(builder, (x, y, room.height - drop), 0.0)
        height = room.height - drop - 0.1
    else:
        radius = float(rng.uniform(0.12, 0.25))
        bowl = lathe([(1e-3, -0.1), (radius * 0.7, -0.08), (radius, -0.02), (radius, 0.0)], 20)
        builder.add(
            bowl.moved(np.eye(3), np.array([x, y, room.height])),
            paint.glowing((3 * color[0], 3 * color[1], 3 * color[2])),
        )
        height = room.height - 0.18
    total = 1.2 * room.area / 12
    builder.lighting.lamps.append(Lamp((float(x), float(y), height), 0.12, tuple(total * c for c in color)))  # pyright: ignore


def ceiling_trim(builder: WorldBuilder, paint: Paint, room: Room, trim: Material) -> None:
    """Crown moulding or beams, sometimes."""
    rng = paint.rng
    x0, y0, x1, y1 = room.rect
    kind = rng.random()
    if kind < 0.25:
        size = float(rng.uniform(0.05, 0.12))
        for wall in room.walls:
            builder.add(on_wall(wall, box((0, 0, room.height - size), (wall.length, size, room.height), 0.5)), trim)
    elif kind < 0.37:
        beam = paint.wood() if rng.random() < 0.6 else trim
        count, thick = max(2, round((x1 - x0) / rng.uniform(0.7, 1.3))), float(rng.uniform(0.1, 0.18))
        for i in range(count):
            x = x0 + (i + 0.5) * (x1 - x0) / count
            builder.add(box((x - thick / 2, y0, room.height - thick), (x + thick / 2, y1, room.height), 0.4), beam)


def decorate(builder: WorldBuilder, paint: RichPaint, room: Room, own: RoomSurfaces, lamps: float) -> None:
    """Everything on the walls and the ceiling of one room."""
    cloth = paint.textured("fabric", scale=1.5)
    hang_doors(builder, paint, room, own.trim)
    if room.kind != "empty":
        hang_pictures(builder, paint, room)
        for wall in room.walls:
            for hole in wall.openings:
                if hole.kind == "window" and paint.rng.random() < 0.2:
                    slat_blind(builder, paint, wall, hole)
                elif hole.kind == "window":
                    dress_window(builder, paint, room, wall, hole, cloth)
        hang_details(builder, paint, room)
    light_ceiling(builder, paint, room, lamps)
    ceiling_trim(builder, paint, room, own.trim)
