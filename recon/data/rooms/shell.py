"""Floors, ceilings, walls with their openings, skirting and frames."""

import itertools
from dataclasses import dataclass

import numpy as np

from recon.data.rooms.mesh import MeshPart, box, concatenate, rectangle
from recon.data.rooms.paint import Paint
from recon.data.rooms.plan import Opening, Plan, Room, Wall
from recon.data.rooms.textures import wall_color
from recon.data.rooms.world import Material, Portal, WorldBuilder

SMOOTH_WALLS = 0.25
UP = np.array([0.0, 0.0, 1.0])


def on_wall(wall: Wall, part: MeshPart) -> MeshPart:
    """Move a part from wall coordinates (x along the wall, y into the room, z up) into the world."""
    frame = np.eye(3)
    frame[:2, 0] = wall.along
    frame[:2, 1] = wall.inward
    return part.moved(frame, np.array([*wall.start, 0.0]))


def panel(start: float, end: float, bottom: float, top: float, y: float = 0.0, spacing: float = 0.16) -> MeshPart:
    """A rectangle in wall coordinates that looks into the room; its texture starts at the wall's end."""
    origin = np.array([end, y, bottom])
    return rectangle(origin, np.array([start - end, 0, 0]), (top - bottom) * UP, spacing, (-end, bottom))


def wall_surface(wall: Wall, height: float) -> MeshPart:
    """The wall without its holes, which may lie above each other."""
    holes = sorted((o for o in wall.openings if o.kind != "closed"), key=lambda o: o.bottom)
    cuts = sorted({0.0, wall.length, *(x for o in holes for x in (o.start, o.end))})
    parts = []
    for start, end in itertools.pairwise(cuts):
        if end - start <= 1e-3:
            continue
        low = 0.0
        for hole in holes:
            if hole.start < (start + end) / 2 < hole.end:
                if hole.bottom - low > 1e-3:
                    parts.append(panel(start, end, low, hole.bottom))
                low = max(low, hole.top)
        if height - low > 1e-3:
            parts.append(panel(start, end, low, height))
    return on_wall(wall, concatenate(parts))


def reveal(wall: Wall, hole: Opening, depth: float) -> MeshPart:
    """The inner faces of a hole from the wall's surface `depth` outwards."""
    out = np.array([0, -depth, 0])
    width, height = hole.end - hole.start, hole.top - hole.bottom
    left, right = np.array([hole.start, 0, hole.bottom]), np.array([hole.end, 0, hole.bottom])
    top = np.array([hole.start, 0, hole.top])
    sides = [
        rectangle(left, out, height * UP).flipped(),
        rectangle(right, out, height * UP),
        rectangle(top, out, np.array([width, 0, 0])),
        rectangle(left, out, np.array([width, 0, 0])).flipped(),
    ]
    return on_wall(wall, concatenate(sides))


def casing(hole: Opening, width: float, depth: float) -> MeshPart:
    """Boards around a hole on the wall's surface, in wall coordinates."""
    bottom = hole.bottom if hole.kind == "window" else 0.0
    boards = [
        box((hole.start - width, 0, bottom), (hole.start, depth, hole.top), 0.5),
        box((hole.end, 0, bottom), (hole.end + width, depth, hole.top), 0.5),
        box((hole.start - width, 0, hole.top), (hole.end + width, depth, hole.top + width), 0.5),
    ]
    if hole.kind == "window":
        boards.append(box((hole.start - width, 0, bottom - 0.04), (hole.end + width, depth + 0.05, bottom), 0.5))
    return concatenate(boards)


def skirting(wall: Wall, height: float, depth: float) -> MeshPart | None:
    """Boards along the foot of the wall, interrupted at doors."""
    doors = sorted((o for o in wall.openings if o.bottom < height), key=lambda o: o.start)
    boards, at = [], 0.0
    for start, end in [*((o.start - 0.06, o.end + 0.06) for o in doors), (wall.length, wall.length)]:
        if start - at > 0.02:
            boards.append(box((at, 0, 0), (start, depth, height), 0.4))
        at = max(at, end)
    return on_wall(wall, concatenate(boards)) if boards else None


@dataclass(frozen=True)
class WindowStyle:
    """How all windows of a house look: frame width, panes across and down, and how far out they sit (0..1)."""

    frame: float
    columns: int
    rows: int
    depth: float


def window_frame(hole: Opening, y: float, style: WindowStyle) -> MeshPart:
    """Frame and glazing bars in wall coordinates at depth `y` behind the surface (negative)."""
    f, thick = style.frame, 0.05
    low, high = (hole.start, y - thick, hole.bottom), (hole.end, y, hole.top)
    bars = [
        box((low[0], low[1], low[2]), (low[0] + f, high[1], high[2]), 0.5),
        box((high[0] - f, low[1], low[2]), (high[0], high[1], high[2]), 0.5),
        box((low[0] + f, low[1], low[2]), (high[0] - f, high[1], low[2] + f), 0.5),
        box((low[0] + f, low[1], high[2] - f), (high[0] - f, high[1], high[2]), 0.5),
    ]
    for i in range(1, style.columns):
        x = low[0] + i / style.columns * (high[0] - low[0])
        bars.append(box((x - f / 3, low[1], low[2] + f), (x + f / 3, high[1], high[2] - f), 0.5))
    for i in range(1, style.rows):
        z = low[2] + i / style.rows * (high[2] - low[2])
        bars.append(box((low[0] + f, low[1], z - f / 4), (high[0] - f, high[1], z + f / 4), 0.5))
    return concatenate(bars)


def window_portal(wall: Wall, hole: Opening, depth: float, radiance: tuple[float, float, float]) -> Portal:
    """The hole as a light that shines into the room."""
    base = np.array([*(wall.start + hole.end * wall.along - depth * wall.inward), hole.bottom])
    along = np.array([*(wall.along * (hole.start - hole.end)), 0.0])
    upward = (hole.top - hole.bottom) * UP
    if np.cross(along, upward)[:2] @ wall.inward < 0:
        base, along = base + along, -along
    return Portal(_vector(base), _vector(along), _vector(upward), radiance)


def _vector(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z


@dataclass(frozen=True)
class RoomSurfaces:
    """Materials of one room."""

    floor: Material
    wall: Material
    accent: Material
    ceiling: Material
    trim: Material


def choose_surfaces(paint: Paint, kind: str) -> RoomSurfaces:
    """Materials that suit the use of the room."""
    rng = paint.rng
    gloss = float(rng.choice([0.0, 0.025, 0.045, 0.08], p=[0.3, 0.25, 0.25, 0.2]))
    floor_kind = "tiles" if kind == "bath" or (kind == "kitchen" and rng.random() < 0.5) else None
    if floor_kind is None:
        names = ["floor_boards", "parquet", "carpet", "tiles"]
        floor_kind = str(rng.choice(names, p=[0.58, 0.1, 0.2, 0.12]))
    floor = paint.textured(floor_kind, specular=0.04, mirror=0.0 if floor_kind == "carpet" else gloss)
    wall = paint.textured("plaster") if rng.random() < 0.72 else paint.textured("wallpaper")
    if rng.random() < SMOOTH_WALLS:
        wall = paint.plain(wall_color(rng))
    if kind == "bath" and rng.random() < 0.75:
        wall = paint.textured("tiles", "mosaic", mirror=0.03, scale=0.8)
    accent = wall
    if rng.random() < 0.25:
        accent = paint.textured("wallpaper", "bricks", "plaster", "wood")
    white = float(rng.uniform(0.82, 0.96))
    ceiling = paint.plain(np.array([white, white, white * rng.uniform(0.95, 1.0)]))
    if rng.random() < 0.4:
        ceiling = paint.textured("white_plaster")
    return RoomSurfaces(floor, wall, accent, ceiling, paint.trim())


def build_shell(builder: WorldBuilder, paint: Paint, plan: Plan, sky: tuple[float, float, float]) -> list[RoomSurfaces]:
    """Add all rooms without furniture; windows become lights of radiance `sky`."""
    rng = paint.rng
    style = WindowStyle(
        frame=float(rng.uniform(0.04, 0.08)),
        columns=int(rng.integers(1, 4)),
        rows=int(rng.choice([1, 1, 2, 3])),
        depth=float(rng.uniform(0.4, 0.9)),
    )
    frame = paint.plain(np.full(3, rng.uniform(0.8, 0.97)), 0.03) if rng.random() < 0.75 else paint.trim()
    board = float(rng.uniform(0.05, 0.16))
    surfaces: list[RoomSurfaces] = []
    shared_floor = choose_surfaces(paint, "living")
    for room in plan.rooms:
        own = choose_surfaces(paint, room.kind)
        if room.kind != "bath" and rng.random() < 0.6:
            own = RoomSurfaces(shared_floor.floor, own.wall, own.accent, shared_floor.ceiling, shared_floor.trim)
        surfaces.append(own)
        build_room(builder, room, own, plan.thickness, board)
        for wall in room.walls:
            for hole in wall.openings:
                if hole.kind == "window":
                    glaze(builder, wall, hole, plan.thickness, style, frame, sky)
    return surfaces


def glaze(
    builder: WorldBuilder,
    wall: Wall,
    hole: Opening,
    thickness: float,
    style: WindowStyle,
    frame: Material,
    sky: tuple[float, float, float],
) -> None:
    """Put a frame into a window hole and make it a light of radiance `sky`."""
    depth = max(thickness, 0.14)
    builder.add(on_wall(wall, window_frame(hole, -style.depth * (depth - 0.05), style)), frame)
    builder.lighting.portals.append(window_portal(wall, hole, depth, sky))


def build_room(builder: WorldBuilder, room: Room, own: RoomSurfaces, thickness: float, board: float) -> None:
    """Add floor, ceiling and walls; `board` is the height of the skirting."""
    x0, y0, x1, y1 = room.rect
    across, along = np.array([x1 - x0, 0, 0]), np.array([0, y1 - y0, 0])
    swap = bool(across[0] < along[1])
    builder.add(rectangle(np.array([x0, y0, 0]), across, along, 0.13, (x0, y0), swap), own.floor)
    builder.add(rectangle(np.array([x0, y0, room.height]), along, across, 0.22), own.ceiling)
    for index, wall in enumerate(room.walls):
        material = own.accent if index == 0 else own.wall
        builder.add(wall_surface(wall, room.height), material)
        boards = skirting(wall, board, 0.015)
        if boards is not None:
            builder.add(boards, own.trim)
        for hole in wall.openings:
            outward = max(thickness, 0.14) if hole.kind == "window" else thickness / 2 + 0.001
            if hole.kind != "closed":
                builder.add(reveal(wall, hole, outward), own.trim if hole.kind == "door" else material)
                if hole.kind != "window" and hole.bottom == 0:
                    builder.add(_threshold(wall, hole, outward), own.floor)
            if hole.kind != "arch":
                builder.add(on_wall(wall, casing(hole, 0.07, 0.02)), own.trim)


def _threshold(wall: Wall, hole: Opening, depth: float) -> MeshPart:
    """The floor inside a doorway."""
    start = np.array([hole.start, -depth, 0.001])
    part = rectangle(start, np.array([hole.end - hole.start, 0, 0]), np.array([0, depth, 0]), 0.3)
    return on_wall(wall, part)
