"""Things that are placed in rooms: parts with materials, and the room that they take."""

from dataclasses import dataclass

import numpy as np

from recon.data.rooms.mesh import MeshPart, rotation_z
from recon.data.rooms.world import Material, WorldBuilder

Parts = list[tuple[MeshPart, Material | np.ndarray]]


@dataclass(frozen=True)
class Item:
    """A thing that stands on the origin, front towards -y.

    Attributes:
        parts: Meshes with a material or a material row for each face.
        width: Extent along x in metres.
        depth: Extent along y.
        height: Top above the ground.
        top: Height of a surface that can carry things, or 0.
    """

    parts: Parts
    width: float
    depth: float
    height: float
    top: float = 0.0

    def place(self, builder: WorldBuilder, position: tuple[float, float, float], angle: float, outside: bool = False):
        """Add the thing to a world, turned counter-clockwise by `angle`."""
        turn = rotation_z(angle)
        for part, material in self.parts:
            builder.add(part.moved(turn, np.array(position, float)), material, outside)


def item(parts: Parts, top: float = 0.0) -> Item:
    """An item with the extent of its parts; it must be centred over the origin."""
    points = np.concatenate([part.positions for part, _ in parts])
    half = np.abs(points).max(0)
    return Item(parts, float(2 * half[0]), float(2 * half[1]), float(points[:, 2].max()), top)
