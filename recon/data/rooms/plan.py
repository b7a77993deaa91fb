"""Floor plans: one to four rectangular rooms with doorways and windows."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Kind = Literal["window", "door", "arch", "closed"]
Rect = tuple[float, float, float, float]
WALL_SIDES = ((0, 1), (2, 1), (2, 3), (0, 3))  # corners of (x0, y0, x1, y1), counter-clockwise


@dataclass(frozen=True)
class Opening:
    """A hole in a wall (or a closed door on it): an interval along the wall and a height interval, in metres."""

    start: float
    end: float
    bottom: float
    top: float
    kind: Kind


@dataclass
class Wall:
    """One side of a room, seen from inside: from `start` in direction `along`, the room on the left."""

    start: np.ndarray
    along: np.ndarray
    length: float
    openings: list[Opening] = field(default_factory=list)

    @property
    def inward(self) -> np.ndarray:
        """Unit normal into the room."""
        return np.array([-self.along[1], self.along[0]])

    def free(self, start: float, end: float, bottom: float, top: float, margin: float = 0.08) -> bool:
        """Whether a rectangle on the wall touches no opening."""
        return all(
            end < o.start - margin or start > o.end + margin or top < o.bottom - margin or bottom > o.top + margin
            for o in self.openings
        )


@dataclass
class Room:
    """A rectangular room: its floor rectangle, height and four walls (south, east, north, west)."""

    rect: Rect
    height: float
    walls: list[Wall]
    kind: str = "living"

    @property
    def size(self) -> np.ndarray:
        """Width and depth."""
        return np.array([self.rect[2] - self.rect[0], self.rect[3] - self.rect[1]])

    @property
    def area(self) -> float:
        """Floor area in square metres."""
        return float(self.size.prod())


@dataclass
class Plan:
    """Rooms and the thickness of the walls between them."""

    rooms: list[Room]
    thickness: float


def _split(rect: Rect, rng: np.random.Generator, thickness: float) -> tuple[Rect, Rect] | None:
    x0, y0, x1, y1 = rect
    axis = 0 if (x1 - x0) > (y1 - y0) else 1
    length = (x1 - x0, y1 - y0)[axis]
    if length < 4.2 + thickness:
        return None
    cut = rng.uniform(max(0.32, 1.9 / length), min(0.68, 1 - 1.9 / length)) * length + (x0, y0)[axis]
    half = thickness / 2
    if axis == 0:
        return (x0, y0, cut - half, y1), (cut + half, y0, x1, y1)
    return (x0, y0, x1, cut - half), (x0, cut + half, x1, y1)


def room_walls(rect: Rect) -> list[Wall]:
    """South, east, north and west wall of a rectangular room."""
    x0, y0, x1, y1 = rect
    corners = [np.array(c, float) for c in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
    walls = []
    for i in range(4):
        step = corners[(i + 1) % 4] - corners[i]
        length = float(np.linalg.norm(step))
        walls.append(Wall(corners[i], step / length, length))
    return walls


def _shared(a: Room, b: Room, thickness: float) -> tuple[int, int, float, float] | None:
    """Walls of a and b that face each other and the interval in world coordinates that they share."""
    for axis in (0, 1):
        other = 1 - axis
        low, high = max(a.rect[other], b.rect[other]), min(a.rect[2 + other], b.rect[2 + other])
        if high - low < 1.0:
            continue
        if abs(b.rect[axis] - a.rect[2 + axis] - thickness) < 1e-6:
            return (1, 3, low, high) if axis == 0 else (2, 0, low, high)
        if abs(a.rect[axis] - b.rect[2 + axis] - thickness) < 1e-6:
            return (3, 1, low, high) if axis == 0 else (0, 2, low, high)
    return None


def _to_wall(wall: Wall, low: float, high: float) -> tuple[float, float]:
    """A world interval along a wall's axis as an interval of the wall."""
    axis = 0 if abs(wall.along[0]) > 0.5 else 1
    ends = [(value - wall.start[axis]) * wall.along[axis] for value in (low, high)]
    return min(ends), max(ends)


def _connect(rooms: list[Room], thickness: float, rng: np.random.Generator) -> dict[tuple[int, int], list]:
    """Doorways between neighbours; returns the wall intervals that have a neighbour behind them."""
    taken: dict[tuple[int, int], list[tuple[float, float]]] = {}
    joined = {0}
    for i in range(len(rooms)):
        for j in range(i + 1, len(rooms)):
            shared = _shared(rooms[i], rooms[j], thickness)
            if shared is None:
                continue
            side_i, side_j, low, high = shared
            for room, side in ((i, side_i), (j, side_j)):
                taken.setdefault((room, side), []).append(_to_wall(rooms[room].walls[side], low, high))
            if j in joined and i in joined and rng.random() < 0.4:
                continue
            joined |= {i, j}
            wide = rng.random() < 0.5 and high - low > 1.7
            width = rng.uniform(1.3, min(3.2, high - low - 0.3)) if wide else rng.uniform(0.8, 1.0)
            start = rng.uniform(low + 0.1, high - width - 0.1) if high - low > width + 0.2 else low + 0.05
            top = rng.uniform(2.05, 2.3) if wide else rng.uniform(1.98, 2.1)
            for room, side in ((i, side_i), (j, side_j)):
                wall = rooms[room].walls[side]
                ends = _to_wall(wall, start, start + width)
                wall.openings.append(Opening(*ends, 0.0, top, "arch" if wide else "door"))
    return taken


def _add_windows(rooms: list[Room], taken: dict, rng: np.random.Generator) -> None:
    sill = float(rng.choice([0.05, 0.45, 0.75, 0.9, 1.0]))
    for index, room in enumerate(rooms):
        head = min(room.height - 0.15, rng.uniform(2.0, 2.35))
        sides = rng.permutation(4)
        wanted = 1 + int(rng.random() < 0.6) + int(rng.random() < 0.3)
        for side in sides:
            wall = room.walls[side]
            if taken.get((index, int(side))) or wall.length < 1.6 or wanted <= 0:
                continue
            wanted -= 1
            bottom = max(sill, 0.9) if room.kind in ("kitchen", "bath") else sill
            count = int(rng.integers(1, 1 + max(1, min(3, int(wall.length / 1.7)))))
            pitch = wall.length / count
            width = min(pitch - 0.5, rng.uniform(0.7, 2.6 if count == 1 else 1.4))
            if width < 0.5:
                continue
            shift = rng.uniform(-0.5, 0.5) * (pitch - width - 0.3) if count == 1 else 0.0
            for k in range(count):
                middle = (k + 0.5) * pitch + shift
                wall.openings.append(Opening(middle - width / 2, middle + width / 2, bottom, head, "window"))


def _add_closed_doors(rooms: list[Room], taken: dict, rng: np.random.Generator) -> None:
    for room in rooms:
        for wall in room.walls:
            if rng.random() > 0.25 or wall.length < 1.3:
                continue
            width = rng.uniform(0.75, 0.9)
            start = rng.uniform(0.15, wall.length - width - 0.15)
            if wall.free(start, start + width, 0.0, 2.05, 0.15):
                wall.openings.append(Opening(start, start + width, 0.0, rng.uniform(1.98, 2.08), "closed"))


def make_plan(rng: np.random.Generator) -> Plan:
    """A random floor plan."""
    thickness = float(rng.uniform(0.1, 0.22))
    count = int(rng.choice([1, 2, 3, 4], p=[0.16, 0.34, 0.3, 0.2]))
    width, depth = rng.uniform(3.2, 6.8) + 1.3 * (count - 1), rng.uniform(3.0, 5.4) + 0.7 * (count - 1)
    rects: list[Rect] = [(0.0, 0.0, float(width), float(depth))]
    while len(rects) < count:
        rects.sort(key=lambda r: (r[2] - r[0]) * (r[3] - r[1]))
        halves = _split(rects[-1], rng, thickness)
        if halves is None:
            break
        rects = [*rects[:-1], *halves]
    height = float(rng.choice([rng.uniform(2.35, 2.6), rng.uniform(2.5, 3.3)]))
    rooms = [Room(rect, height, room_walls(rect)) for rect in rects]
    _assign_kinds(rooms, rng)
    taken = _connect(rooms, thickness, rng)
    _add_windows(rooms, taken, rng)
    _add_closed_doors(rooms, taken, rng)
    return Plan(rooms, thickness)


def _assign_kinds(rooms: list[Room], rng: np.random.Generator) -> None:
    pools = {
        "large": (["living", "kitchen", "bedroom", "dining", "office"], [0.34, 0.26, 0.2, 0.14, 0.06]),
        "middle": (["bedroom", "kitchen", "office", "living", "bath", "dining"], [0.26, 0.26, 0.12, 0.16, 0.12, 0.08]),
        "small": (["hall", "bath", "office", "kitchen"], [0.35, 0.3, 0.15, 0.2]),
    }
    for room in rooms:
        narrow = float(room.size.min())
        pool = "large" if room.area > 14 else ("middle" if room.area > 7 and narrow > 2.2 else "small")
        names, weights = pools[pool]
        room.kind = str(rng.choice(names, p=weights)) if rng.random() > 0.04 else "empty"
