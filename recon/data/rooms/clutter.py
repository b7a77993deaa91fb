"""Small things: vases, books, boxes, plants, fruit."""

import numpy as np

from recon.data.rooms.item import Item, item
from recon.data.rooms.mesh import MeshPart, box, concatenate, cylinder, lathe, rotation_z, sphere
from recon.data.rooms.paint import Paint


def leaf_cloud(
    rng: np.random.Generator, count: int, radii: tuple[float, float, float], leaf: float, hollow: float = 0.5
) -> MeshPart:
    """`count` leaves spread over an ellipsoid around the origin; normals point outwards to light it as one body."""
    direction = rng.standard_normal((count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    bumps = 1 + 0.25 * np.sin(5 * direction[:, :1] + 3) * np.cos(4 * direction[:, 1:2] + 1)
    centre = direction * (hollow + (1 - hollow) * rng.random((count, 1)) ** 0.5) * np.array(radii) * bumps
    across = np.cross(direction, rng.standard_normal((count, 3)))
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    tilt = direction + 0.9 * rng.standard_normal((count, 3))
    upward = np.cross(across, tilt)
    upward /= np.maximum(np.linalg.norm(upward, axis=1, keepdims=True), 1e-6)
    size = leaf * rng.uniform(0.6, 1.4, (count, 1))
    tip = np.array([[0, -1], [0.45, 0], [0, 1], [-0.45, 0]])
    corners = centre[:, None] + size[:, None] * (
        tip[None, :, :1] * across[:, None] + tip[None, :, 1:] * upward[:, None]
    )
    positions = corners.reshape(-1, 3).astype(np.float32)
    first = 4 * np.arange(count, dtype=np.int32)[:, None]
    faces = np.concatenate([first + np.array([0, 1, 2]), first + np.array([0, 2, 3])]).astype(np.int32)
    patch = rng.random((count, 1, 2)) + 0.12 * tip[None]
    outward = np.repeat(direction, 4, axis=0).astype(np.float32)
    return MeshPart(positions, outward, patch.reshape(-1, 2).astype(np.float32), faces, positions + 0.02 * outward)


def potted_plant(paint: Paint, height: float) -> Item:
    """A pot with a bush or long blades."""
    rng = paint.rng
    radius = float(np.clip(height * 0.18, 0.05, 0.2))
    pot_height = 1.6 * radius
    pot = lathe([(radius * 0.7, 0), (radius, pot_height), (radius * 0.9, pot_height), (1e-3, pot_height * 0.9)], 20)
    leaves_material = paint.textured("foliage", scale=2.0)
    crown = (height - pot_height) / 2
    spread = crown * float(rng.uniform(0.5, 0.9))
    if rng.random() < 0.5:
        leaves = leaf_cloud(rng, int(rng.integers(150, 420)), (spread, spread, crown), 0.05 + 0.04 * height)
        leaves = leaves.moved(np.eye(3), np.array([0, 0, pot_height + crown]))
    else:
        leaves = concatenate([_blade(rng, height - pot_height, pot_height) for _ in range(int(rng.integers(14, 40)))])
    pot_material = paint.vivid() if rng.random() < 0.6 else paint.textured("granite", "wood", scale=0.3)
    return item([(pot, pot_material), (leaves, leaves_material)])


def _blade(rng: np.random.Generator, length: float, start: float) -> MeshPart:
    """A long leaf that bends outwards."""
    angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.8) * length
    t = np.linspace(0, 1, 6)
    rise = length * (t * rng.uniform(0.8, 1.1) - 0.45 * t**2 * reach / length)
    out = reach * t**1.6
    half = 0.025 * length * (1.2 - t) + 0.003
    along = np.array([np.cos(angle), np.sin(angle), 0])
    side = np.array([-along[1], along[0], 0])
    spine = out[:, None] * along + (start + rise)[:, None] * np.array([0, 0, 1])
    positions = np.concatenate([spine - half[:, None] * side, spine + half[:, None] * side]).astype(np.float32)
    i = np.arange(5, dtype=np.int32)[:, None]
    faces = np.concatenate([i + np.array([0, 1, 7]), i + np.array([0, 7, 6])]).astype(np.int32)
    normal = np.broadcast_to(np.array([0.3 * along[0], 0.3 * along[1], 0.95], np.float32), positions.shape)
    uvs = np.stack([np.tile(t * length, 2), np.repeat([0.0, 0.05], 6)], 1).astype(np.float32)
    return MeshPart(positions, np.ascontiguousarray(normal), uvs, faces, positions + 0.02 * normal)


def vase(paint: Paint) -> Item:
    """A turned vessel."""
    rng = paint.rng
    height = float(rng.uniform(0.12, 0.4))
    z = np.linspace(0, height, 9)
    radius = (
        height
        * rng.uniform(0.16, 0.4)
        * np.clip(0.75 + 0.35 * np.sin(rng.uniform(0, 6) + 5 * z / height * rng.uniform(0.5, 1)), 0.25, 1.2)
    )
    profile = [(1e-3, 0.0), *zip(radius.tolist(), z.tolist(), strict=True)]
    material = paint.vivid() if rng.random() < 0.6 else paint.textured("marble", "granite", mirror=0.04, scale=0.3)
    return item([(lathe(profile, 20), material)])


def book_stack(paint: Paint) -> Item:
    """Some books lying on each other."""
    rng = paint.rng
    parts, z = [], 0.0
    for _ in range(int(rng.integers(1, 5))):
        w, d, h = rng.uniform(0.14, 0.3), rng.uniform(0.12, 0.22), rng.uniform(0.012, 0.045)
        book = box((-w / 2, -d / 2, 0), (w / 2, d / 2, h)).moved(rotation_z(rng.normal(0, 0.15)), np.array([0, 0, z]))
        parts.append((book, paint.picture(float(w), float(d), "packaging", mirror=0.02)))
        z += float(h)
    return item(parts)


def carton(paint: Paint) -> Item:
    """A printed box, a tin or a bottle."""
    rng = paint.rng
    w, d, h = (float(rng.uniform(0.06, 0.26)) for _ in range(3))
    if rng.random() < 0.35:
        tin = cylinder(w / 3, h, 18)
        return item([(tin, paint.picture(2 * w, h, "packaging", mirror=0.03))])
    if rng.random() < 0.3:
        r = float(rng.uniform(0.03, 0.045))
        bottle = lathe([(1e-3, 0), (r, 0), (r, 0.16), (0.012, 0.23), (0.012, 0.3), (1e-3, 0.3)], 16)
        return item([(bottle, paint.vivid())])
    return item([(box((-w / 2, -d / 2, 0), (w / 2, d / 2, h)), paint.picture(w, h, "packaging"))])


def fruit_bowl(paint: Paint) -> Item:
    """A bowl with balls in it."""
    rng = paint.rng
    radius = float(rng.uniform(0.1, 0.18))
    bowl = lathe([(radius * 0.4, 0), (radius, radius * 0.6), (radius * 0.94, radius * 0.6), (1e-3, 0.03)], 24)
    balls = []
    for _ in range(int(rng.integers(3, 8))):
        angle, distance = rng.uniform(0, 6.28), rng.uniform(0, radius * 0.55)
        place = np.array([distance * np.cos(angle), distance * np.sin(angle), radius * rng.uniform(0.45, 0.7)])
        balls.append(sphere(float(rng.uniform(0.03, 0.045)), 12).moved(np.eye(3), place))
    return item([(bowl, paint.vivid()), (concatenate(balls), paint.vivid())])


def small_thing(paint: Paint) -> Item:
    """Any of the small things."""
    makers = [vase, book_stack, carton, fruit_bowl, lambda p: potted_plant(p, float(p.rng.uniform(0.15, 0.45)))]
    return makers[int(paint.rng.integers(len(makers)))](paint)
