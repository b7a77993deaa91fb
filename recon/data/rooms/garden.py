"""Things outdoors: ground, trees, hedges, fences."""

import numpy as np

from recon.data.rooms.clutter import leaf_cloud
from recon.data.rooms.item import Item, item
from recon.data.rooms.mesh import box, concatenate, lathe, rectangle
from recon.data.rooms.paint import Paint
from recon.data.rooms.world import Material, WorldBuilder


def lay_ground(
    builder: WorldBuilder, material: Material, centre: tuple[float, float], half: float, z: float, spacing: float = 1.5
) -> None:
    """A square of ground."""
    origin = np.array([centre[0] - half, centre[1] - half, z])
    builder.add(rectangle(origin, np.array([2 * half, 0, 0]), np.array([0, 2 * half, 0]), spacing), material, True)


def tree(paint: Paint, height: float) -> Item:
    """A trunk with some balls of leaves."""
    rng = paint.rng
    thick = 0.035 * height
    crown_start = height * float(rng.uniform(0.15, 0.4))
    trunk = lathe([(thick, 0), (thick * 0.6, height * 0.8)], 10)
    spread = height * float(rng.uniform(0.2, 0.38))
    blobs = []
    for _ in range(int(rng.integers(3, 7))):
        radius = spread * float(rng.uniform(0.5, 0.9))
        cloud = leaf_cloud(rng, 260, (radius, radius, radius * 0.85), 0.05 + 0.03 * height, 0.6)
        offset = np.array(
            [*(rng.uniform(-0.6, 0.6, 2) * spread), rng.uniform(crown_start + radius, height - radius * 0.5)]
        )
        blobs.append(cloud.moved(np.eye(3), offset))
    return item([(trunk, paint.wood()), (concatenate(blobs), paint.textured("foliage", scale=2.0))])


def bush(paint: Paint, radius: float, height: float) -> Item:
    """A round shrub."""
    cloud = leaf_cloud(paint.rng, 420, (radius, radius, height / 2), 0.05 + 0.06 * radius, 0.75)
    return item([(cloud.moved(np.eye(3), np.array([0, 0, height / 2])), paint.textured("foliage", scale=2.0))])


def hedge(paint: Paint, length: float, height: float) -> Item:
    """A trimmed hedge along x."""
    rng = paint.rng
    foliage = paint.textured("foliage", scale=1.5)
    core = box((-length / 2, -0.2, 0), (length / 2, 0.2, height - 0.08), 0.4)
    clouds = []
    for x in np.arange(-length / 2 + 0.3, length / 2, 0.6):
        cloud = leaf_cloud(rng, 160, (0.42, 0.3, height / 2), 0.055, 0.85)
        clouds.append(cloud.moved(np.eye(3), np.array([x, 0, height / 2])))
    return item([(core, foliage), (concatenate(clouds), foliage)])


def fence(paint: Paint, length: float, height: float) -> Item:
    """A board or picket fence along x."""
    rng = paint.rng
    pitch, width = float(rng.choice([0.12, 0.2, 0.3])), float(rng.uniform(0.06, 0.1))
    boards = [
        box((float(x), -0.01, 0.05), (float(x) + width, 0.01, height), 1.0)
        for x in np.arange(-length / 2, length / 2 - width, pitch)
    ]
    rails = [box((-length / 2, 0.01, z), (length / 2, 0.05, z + 0.07), 1.0) for z in (0.25 * height, 0.8 * height)]
    return item([(concatenate([*boards, *rails]), paint.trim())])


def plant_surroundings(
    builder: WorldBuilder, paint: Paint, centre: tuple[float, float], near: float, far: float, z: float, count: int
) -> None:
    """Trees, bushes, hedges and fences in a ring around a house."""
    rng = paint.rng
    for _ in range(count):
        angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(near, far)
        x, y = centre[0] + distance * np.cos(angle), centre[1] + distance * np.sin(angle)
        kind = rng.random()
        if kind < 0.45:
            thing = tree(paint, float(rng.uniform(3, 8)))
        elif kind < 0.7:
            thing = bush(paint, float(rng.uniform(0.5, 1.2)), float(rng.uniform(0.6, 1.8)))
        elif kind < 0.85:
            thing = hedge(paint, float(rng.uniform(3, 7)), float(rng.uniform(0.9, 2.0)))
        else:
            thing = fence(paint, float(rng.uniform(4, 9)), float(rng.uniform(0.9, 1.8)))
        thing.place(builder, (float(x), float(y), z), float(angle + np.pi / 2), True)
