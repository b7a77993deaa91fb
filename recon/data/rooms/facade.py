"""Houses seen from outside."""

import itertools
from dataclasses import dataclass

import numpy as np

from recon.data.rooms.front_details import dress_front
from recon.data.rooms.garden import bush, hedge, lay_ground, plant_surroundings
from recon.data.rooms.mesh import MeshPart, box, concatenate, grid_faces, rectangle
from recon.data.rooms.paint import Paint
from recon.data.rooms.plan import Opening, Rect, Wall
from recon.data.rooms.shell import WindowStyle, casing, on_wall, panel, reveal, wall_surface, window_frame
from recon.data.rooms.supply import Supply
from recon.data.rooms.world import Material, WorldBuilder


@dataclass(frozen=True)
class HouseStyle:
    """Materials and measures of a house."""

    wall: Material
    plinth: Material
    roof: Material
    trim: Material
    door: Material
    glass: Material
    windows: WindowStyle
    storey: float
    shutters: Material | None


def choose_house(paint: Paint) -> HouseStyle:
    """A random house."""
    rng = paint.rng
    wall = paint.textured("bricks", "siding", "plaster", "bricks", "siding")
    dark = float(rng.uniform(0.03, 0.25))
    return HouseStyle(
        wall=wall,
        plinth=paint.textured("granite", "bricks"),
        roof=paint.textured("roof"),
        trim=paint.plain(np.full(3, rng.uniform(0.8, 0.97))) if rng.random() < 0.75 else paint.wood(),
        door=paint.wood() if rng.random() < 0.5 else paint.front(),
        glass=paint.plain(np.array([dark, dark, dark * 1.1]), 0.0, 0.1),
        windows=WindowStyle(float(rng.uniform(0.05, 0.09)), int(rng.integers(1, 4)), int(rng.integers(1, 4)), 0.5),
        storey=float(rng.uniform(2.6, 3.1)),
        shutters=paint.front() if rng.random() < 0.3 else None,
    )


def _outer_walls(rect: Rect) -> list[Wall]:
    """Walls of a house seen from outside: clockwise, so that the left side is outdoors."""
    x0, y0, x1, y1 = rect
    corners = [np.array(c, float) for c in ((x1, y0), (x0, y0), (x0, y1), (x1, y1))]
    walls = []
    for i in range(4):
        step = corners[(i + 1) % 4] - corners[i]
        length = float(np.linalg.norm(step))
        walls.append(Wall(corners[i], step / length, length))
    return walls


def _add_openings(wall: Wall, storeys: int, style: HouseStyle, rng: np.random.Generator, entrance: bool) -> None:
    columns = max(1, int(wall.length / rng.uniform(1.9, 3.2)))
    width = float(min(rng.uniform(0.8, 1.7), wall.length / columns - 0.7))
    if width < 0.5:
        return
    door = int(rng.integers(columns)) if entrance else -1
    garage = entrance and columns > 2 and rng.random() < 0.3
    for storey in range(storeys):
        base = storey * style.storey + 0.3
        sill, head = base + float(rng.choice([0.1, 0.8, 0.9])), base + 2.15
        for column in range(columns):
            middle = (column + 0.5) * wall.length / columns
            if storey == 0 and column == door:
                wall.openings.append(Opening(middle - 0.5, middle + 0.5, 0.3, 2.4, "door"))
            elif storey == 0 and garage and column == (door + 1) % columns:
                half = min(1.25, wall.length / columns / 2 - 0.15)
                wall.openings.append(Opening(middle - half, middle + half, 0.02, 2.3, "arch"))
            elif rng.random() < 0.92:
                wall.openings.append(Opening(middle - width / 2, middle + width / 2, sill, head, "window"))


def _fill(builder: WorldBuilder, paint: Paint, wall: Wall, hole: Opening, style: HouseStyle) -> None:
    rng = paint.rng
    add = lambda part, material: builder.add(on_wall(wall, part), material, True)  # noqa: E731
    builder.add(reveal(wall, hole, 0.12), style.wall, True)
    if hole.kind == "window":
        add(panel(hole.start, hole.end, hole.bottom, hole.top, -0.1, 0.5), style.glass)
        add(window_frame(hole, -0.05, style.windows), style.trim)
        if rng.random() < 0.4:
            drop = float(rng.uniform(0.2, 0.9)) * (hole.top - hole.bottom)
            add(panel(hole.start, hole.end, hole.top - drop, hole.top, -0.095, 0.5), paint.plain(np.full(3, 0.75)))
        if style.shutters is not None:
            leaf = (hole.end - hole.start) / 2
            for x in (hole.start - leaf - 0.06, hole.end + 0.06):
                add(box((x, 0.0, hole.bottom), (x + leaf, 0.03, hole.top), 0.5), style.shutters)
    elif hole.kind == "door":
        add(panel(hole.start, hole.end, hole.bottom, hole.top, -0.08, 0.4), style.door)
        for z in (hole.bottom + 0.2, hole.bottom + 1.15):
            add(box((hole.start + 0.15, -0.08, z), (hole.end - 0.15, -0.06, z + 0.75), 0.5), style.door)
        add(box((hole.start - 0.3, 0, 0), (hole.end + 0.3, 0.9, 0.15), 0.4), style.plinth)
        add(box((hole.start - 0.1, 0, 0.15), (hole.end + 0.1, 0.5, 0.3), 0.4), style.plinth)
    else:
        ribs = np.linspace(hole.bottom, hole.top, 6)
        for low, high in itertools.pairwise(ribs):
            add(box((hole.start, -0.1, low + 0.01), (hole.end, -0.06, high - 0.01), 0.6), style.trim)
    frame = casing(hole, 0.09, 0.025)
    add(frame, style.trim)


def _gable_roof(rect: Rect, eaves: float, pitch: float, overhang: float) -> tuple[MeshPart, MeshPart]:
    """Two slopes with the ridge along the longer side, and the two gables."""
    x0, y0, x1, y1 = rect
    along_x = (x1 - x0) >= (y1 - y0)
    length, span = (x1 - x0, y1 - y0) if along_x else (y1 - y0, x1 - x0)
    rise = pitch * span / 2
    drop = pitch * overhang
    slopes, gables = [], []
    for side in (-1, 1):
        foot = np.array([-length / 2 - overhang, side * (span / 2 + overhang), eaves - drop])
        edge = np.array([length + 2 * overhang, 0, 0])
        up = np.array([0, -side * (span / 2 + overhang), rise + drop])
        slope = rectangle(foot, edge, up, 0.8)
        slopes += [slope if side < 0 else slope.flipped()]
        slopes.append(rectangle(foot - np.array([0, 0, 0.18]), edge, np.array([0, 0, 0.2]), 1.0))
        gables.append(_triangle(side * length / 2, span, eaves, rise, side))
    turn = np.eye(3) if along_x else np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2, 0])
    return concatenate(slopes).moved(turn, centre), concatenate(gables).moved(turn, centre)


def _triangle(x: float, span: float, low: float, rise: float, side: int) -> MeshPart:
    """A gable wall in the plane x, as a grid that narrows towards the ridge."""
    u, v = np.meshgrid(np.linspace(-1, 1, 13), np.linspace(0, 1, 7))
    y, z = u * (1 - v) * span / 2, low + v * rise
    positions = np.stack([np.full_like(y, x), y, z], -1).reshape(-1, 3).astype(np.float32)
    normals = np.broadcast_to(np.array([side, 0, 0], np.float32), positions.shape).copy()
    uvs = np.stack([y, z], -1).reshape(-1, 2).astype(np.float32)
    return MeshPart(positions, normals, uvs, grid_faces(13, 7), positions)


def build_house(
    builder: WorldBuilder, paint: Paint, rect: Rect, storeys: int, style: HouseStyle, front: int = 0
) -> None:
    """One volume with walls, openings, plinth and roof; the door is in wall `front` (south, west, north, east)."""
    rng = paint.rng
    eaves = storeys * style.storey + 0.4
    for index, wall in enumerate(_outer_walls(rect)):
        _add_openings(wall, storeys, style, rng, entrance=index == front)
        builder.add(wall_surface(wall, eaves), style.wall, True)
        for hole in wall.openings:
            _fill(builder, paint, wall, hole, style)
        if index == front or rng.random() < 0.3:
            dress_front(builder, paint, wall, eaves)
        foot = [o for o in wall.openings if o.bottom < 0.35]
        if not foot:
            builder.add(on_wall(wall, box((0, 0, 0), (wall.length, 0.04, 0.3), 0.6)), style.plinth, True)
        gutter = box((-0.3, 0.3, eaves - 0.16), (wall.length + 0.3, 0.4, eaves - 0.06), 1.0)
        builder.add(on_wall(wall, gutter), style.trim, True)
    slopes, gables = _gable_roof(rect, eaves, float(rng.uniform(0.35, 0.95)), 0.35)
    builder.add(slopes, style.roof, True)
    builder.add(gables, style.wall, True)


def build_facade_scene(builder: WorldBuilder, paint: Paint, supply: Supply) -> Rect:
    """A house with its front garden towards -y; returns the ground where a visitor may walk."""
    rng = paint.rng
    width, depth = float(rng.uniform(7, 13)), float(rng.uniform(6, 9))
    style, storeys = choose_house(paint), int(rng.choice([1, 1, 2]))
    build_house(builder, paint, (-width / 2, 0.0, width / 2, depth), storeys, style)
    if rng.random() < 0.5:
        side = float(rng.choice([-1, 1]))
        x0 = side * (width / 2) - (0 if side > 0 else 4.5)
        build_house(builder, paint, (x0, -float(rng.uniform(-1.5, 2.0)), x0 + 4.5, depth - 1.5), 1, style)
    lay_ground(builder, paint.textured("grass"), (0.0, 0.0), 45.0, 0.0, 1.6)
    _lay_paths(builder, paint, width)
    for _ in range(int(rng.integers(3, 9))):
        x = float(rng.uniform(-width / 2, width / 2))
        shrub = bush(paint, float(rng.uniform(0.3, 0.7)), float(rng.uniform(0.4, 1.2)))
        shrub.place(builder, (x, float(rng.uniform(-1.4, -0.6)), 0.0), 0.0, True)
    for _ in range(int(rng.integers(0, 4))):
        thing = supply.get("garden", 3.0)
        if thing is not None:
            place = (float(rng.uniform(-width / 2, width / 2)), float(rng.uniform(-5.0, -1.6)), 0.02)
            thing.place(builder, place, float(rng.uniform(-0.5, 0.5)), True)
    if rng.random() < 0.5:
        row = hedge(paint, float(rng.uniform(4, 8)), float(rng.uniform(0.8, 1.6)))
        row.place(builder, (float(rng.choice([-1, 1])) * (width / 2 + 2.5), -4.0, 0.0), np.pi / 2, True)
    for x in (-20.0, 19.0):
        if rng.random() < 0.6:
            build_house(builder, paint, (x - 5, 2.0, x + 5, 10.0), storeys, choose_house(paint))
    plant_surroundings(builder, paint, (0.0, 4.0), 13.0, 30.0, 0.0, int(rng.integers(5, 11)))
    return (-width / 2 - 3, -13.0, width / 2 + 3, -3.5)


def _lay_paths(builder: WorldBuilder, paint: Paint, width: float) -> None:
    rng = paint.rng
    stone = paint.textured("paving", "gravel")
    x, half = float(rng.uniform(-width / 3, width / 3)), float(rng.uniform(0.6, 2.2))
    path = rectangle(np.array([x - half, -30, 0.012]), np.array([2 * half, 0, 0]), np.array([0, 30.0, 0]), 0.8)
    builder.add(path, stone, True)
    terrace = rectangle(np.array([-width / 2, -2.2, 0.016]), np.array([width, 0, 0]), np.array([0, 2.2, 0]), 0.5)
    if rng.random() < 0.5:
        builder.add(terrace, paint.textured("paving", "floor_boards"), True)
