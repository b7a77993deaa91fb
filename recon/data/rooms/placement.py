"""Free floor of a room and places on its walls."""

from dataclasses import dataclass, field

import numpy as np

from recon.data.rooms.item import Item
from recon.data.rooms.plan import Rect, Room, Wall


@dataclass(frozen=True)
class Place:
    """Where a thing stands: its centre on the floor and its turn; `wall` is the wall that it leans on."""

    x: float
    y: float
    angle: float
    wall: Wall | None = None

    def position(self, z: float = 0.0) -> tuple[float, float, float]:
        """The place at height z."""
        return self.x, self.y, z


@dataclass
class Floor:
    """What is taken of a room's floor."""

    room: Room
    taken: list[Rect] = field(default_factory=list)

    def __post_init__(self):
        for wall in self.room.walls:
            for hole in wall.openings:
                if hole.kind != "window":
                    reach = 0.9 if hole.kind != "closed" else 0.5
                    a = wall.start + hole.start * wall.along
                    b = wall.start + hole.end * wall.along + reach * wall.inward
                    self.taken.append(_rect(a, b))

    def free(self, rect: Rect, margin: float = 0.03) -> bool:
        """Whether a rectangle lies in the room and touches nothing."""
        x0, y0, x1, y1 = rect
        low_x, low_y, high_x, high_y = self.room.rect
        if x0 < low_x - 1e-6 or y0 < low_y - 1e-6 or x1 > high_x + 1e-6 or y1 > high_y + 1e-6:
            return False
        return all(
            x1 + margin < a or c + margin < x0 or y1 + margin < b or d + margin < y0 for a, b, c, d in self.taken
        )

    def along_wall(self, thing: Item, rng: np.random.Generator, gap: float = 0.03, apron: float = 0.0) -> Place | None:
        """A place with the back to a wall, `apron` metres free in front; reserves it."""
        lengths = np.array([w.length for w in self.room.walls])
        for _ in range(14):
            wall = self.room.walls[int(rng.choice(4, p=lengths / lengths.sum()))]
            slack = wall.length - thing.width - 0.06
            if slack < 0:
                continue
            middle = 0.03 + thing.width / 2 + rng.random() * slack
            if rng.random() < 0.25:
                middle = wall.length / 2
            start, end = middle - thing.width / 2, middle + thing.width / 2
            if not wall.free(start, end, 0.0, thing.height, 0.05) and not (thing.height < 1.0 and rng.random() < 0.15):
                continue
            if any(o.kind != "window" and start < o.end and end > o.start for o in wall.openings):
                continue
            a = wall.start + start * wall.along
            b = wall.start + end * wall.along + (gap + thing.depth + apron) * wall.inward
            rect = _rect(a, b)
            if self.free(rect):
                body = wall.start + end * wall.along + (gap + thing.depth) * wall.inward
                self.taken.append(_rect(a, body))
                centre = wall.start + middle * wall.along + (gap + thing.depth / 2) * wall.inward
                return Place(float(centre[0]), float(centre[1]), facing(wall.inward), wall)
        return None

    def anywhere(self, width: float, depth: float, rng: np.random.Generator, middle: bool = False) -> Place | None:
        """A free rectangle away from the walls; reserves it."""
        x0, y0, x1, y1 = self.room.rect
        for attempt in range(14):
            turned = bool(rng.integers(2))
            w, d = (depth, width) if turned else (width, depth)
            if x1 - x0 < w + 0.1 or y1 - y0 < d + 0.1:
                continue
            spread = 0.15 if middle and attempt < 5 else 1.0
            x = (x0 + x1) / 2 + spread * rng.uniform(-0.5, 0.5) * (x1 - x0 - w - 0.1)
            y = (y0 + y1) / 2 + spread * rng.uniform(-0.5, 0.5) * (y1 - y0 - d - 0.1)
            rect = (x - w / 2, y - d / 2, x + w / 2, y + d / 2)
            if self.free(rect):
                self.taken.append(rect)
                return Place(float(x), float(y), (np.pi / 2 if turned else 0.0) + np.pi * float(rng.integers(2)))
        return None

    def before(self, place: Place, item: Item, gap: float, width: float, depth: float) -> Place | None:
        """A free place in front of a thing that stands at `place`; reserves it."""
        front = np.array([np.sin(place.angle), -np.cos(place.angle)])
        centre = np.array([place.x, place.y]) + front * (item.depth / 2 + gap + depth / 2)
        side = np.array([front[1], -front[0]])
        corner = np.abs(side) * width / 2 + np.abs(front) * depth / 2
        rect = _rect(centre - corner, centre + corner)
        if not self.free(rect, 0.01):
            return None
        self.taken.append(rect)
        return Place(float(centre[0]), float(centre[1]), place.angle + np.pi)


def _rect(a: np.ndarray, b: np.ndarray) -> Rect:
    low, high = np.minimum(a, b), np.maximum(a, b)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def facing(direction: np.ndarray) -> float:
    """The turn that points a thing's front (-y) along a horizontal direction."""
    return float(np.arctan2(direction[1], direction[0]) + np.pi / 2)
