"""Thin things: rods, wires, chairs of bent metal, spindles, railings, slats, fans, branches."""

import numpy as np
from jaxtyping import Float

from recon.data.rooms.item import Item, item
from recon.data.rooms.mesh import Corner, MeshPart, box, concatenate, cylinder, grid_faces, rotation_z, sphere
from recon.data.rooms.paint import Paint

Rng = np.random.Generator


def tube(points: Float[np.ndarray, "points 3"], radius: float, segments: int = 6) -> MeshPart:
    """A rod of `radius` metres along a polyline, open at both ends."""
    tangent = np.gradient(points, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    mean = np.abs(tangent).mean(0)
    side = np.cross(tangent, np.eye(3)[mean.argmin()])
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    up = np.cross(tangent, side)
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    around = np.cos(angle)[None, :, None] * side[:, None] + np.sin(angle)[None, :, None] * up[:, None]
    positions = (points[:, None] + radius * around).reshape(-1, 3).astype(np.float32)
    travelled = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    uvs = np.stack(np.broadcast_arrays(travelled[:, None], radius * angle[None, :]), -1).reshape(-1, 2)
    normals = around.reshape(-1, 3).astype(np.float32)
    return MeshPart(
        positions, normals, uvs.astype(np.float32), grid_faces(segments + 1, len(points)), positions + 0.01 * normals
    )


def rod(start: Corner, end: Corner, radius: float) -> MeshPart:
    """A straight tube."""
    return tube(np.array([start, end], float), radius)


def arc(center: np.ndarray, u: np.ndarray, v: np.ndarray, turn: tuple[float, float], radius: float) -> MeshPart:
    """A bent tube: center + cos(t) u + sin(t) v for t in `turn`."""
    t = np.linspace(*turn, 14)[:, None]
    return tube(center + np.cos(t) * u + np.sin(t) * v, radius)


def sagging(start: np.ndarray, end: np.ndarray, drop: float, radius: float) -> MeshPart:
    """A wire that hangs through by `drop` metres."""
    t = np.linspace(0, 1, 12)[:, None]
    points = start + t * (end - start) - 4 * drop * t * (1 - t) * np.array([0, 0, 1.0])
    return tube(points, radius, 5)


def wire_chair(paint: Paint) -> Item:
    """A chair of bent rods with a round seat, as on terraces and in breakfast corners."""
    rng, r = paint.rng, float(paint.rng.uniform(0.007, 0.012))
    seat = cylinder(0.2, 0.04, 20).moved(np.eye(3), np.array([0, 0, 0.43]))
    legs = [
        rod((0.14 * np.cos(a), 0.14 * np.sin(a), 0.44), (0.22 * np.cos(a), 0.22 * np.sin(a), 0.0), r)
        for a in np.pi / 4 + np.pi / 2 * np.arange(4)
    ]
    z, x = np.array([0, 0, 1.0]), np.array([1.0, 0, 0])
    foot, high = np.array([0, 0.18, 0.44]), float(rng.uniform(0.36, 0.5))
    back = [arc(foot, 0.19 * x, high * z, (0.0, np.pi), r)]
    kind = rng.integers(3)
    if kind == 0:
        back += [arc(foot, 0.09 * x, 0.8 * high * z, (0.0, np.pi), 0.7 * r)]
        back += [arc(foot + 0.45 * high * z, 0.06 * x, 0.06 * z, (0.0, 2 * np.pi), 0.7 * r)]
    elif kind == 1:
        back += [rod((s, 0.18, 0.44), (s, 0.18, 0.44 + high * np.sqrt(1 - (s / 0.19) ** 2)), 0.6 * r)
                 for s in np.linspace(-0.13, 0.13, 5)]  # fmt: skip
    else:
        back += [arc(foot + h * high * z, 0.05 * x, 0.09 * z, (0.0, 2 * np.pi), 0.7 * r) for h in (0.25, 0.6)]
    ring = arc(np.array([0, 0, 0.2]), 0.18 * x, 0.18 * np.array([0, 1.0, 0]), (0.0, 2 * np.pi), 0.7 * r)
    shade = float(rng.choice([0.04, 0.1, 0.85]))
    iron = paint.plain(np.full(3, shade), 0.1, 0.03)
    return item([(seat, paint.textured("fabric")), (concatenate([*legs, *back, ring]), iron)])


def spindle_chair(paint: Paint) -> Item:
    """A wooden chair with turned spindles, a ladder or a cross in its back."""
    rng = paint.rng
    wood = paint.wood() if rng.random() < 0.7 else paint.vivid()
    half, top = 0.2, float(rng.uniform(0.85, 1.02))
    seat = box((-half, -half, 0.42), (half, half, 0.455), 0.2)
    legs = [
        rod((x * half * 0.85, y * half * 0.85, 0.42), (x * half, y * half * 1.1, 0), 0.016)
        for x in (-1, 1)
        for y in (-1, 1)
    ]
    legs += [rod((x * half * 0.95, -half, 0.2), (x * half * 0.95, half, 0.2), 0.01) for x in (-1, 1)]
    back_y = half + 0.06
    posts = [rod((x * half * 0.9, half * 0.9, 0.45), (x * half, back_y, top), 0.014) for x in (-1, 1)]
    posts.append(box((-half, back_y - 0.012, top - 0.08), (half, back_y + 0.012, top), 0.3))
    kind = rng.integers(3)
    if kind == 0:
        posts += [rod((x, half * 0.9, 0.45), (x, back_y, top - 0.05), 0.007) for x in np.linspace(-0.14, 0.14, 6)]
    elif kind == 1:
        posts += [box((-half, back_y - 0.02, z), (half, back_y - 0.005, z + 0.04), 0.3)
                  for z in np.linspace(0.56, top - 0.18, 3)]  # fmt: skip
    else:
        posts += [rod((-half, half, 0.5), (half, back_y, top - 0.05), 0.012)]
        posts += [rod((half, half, 0.5), (-half, back_y, top - 0.05), 0.012)]
    cover = wood if rng.random() < 0.6 else paint.textured("fabric")
    return item([(seat, cover), (concatenate([*legs, *posts]), wood)])


def railing(paint: Paint, length: float, height: float = 0.95) -> Item:
    """Posts, balusters and a hand rail along x."""
    rng = paint.rng
    pitch, thick = float(rng.choice([0.11, 0.14, 0.2])), float(rng.uniform(0.006, 0.016))
    parts = [box((-length / 2, -0.025, height - 0.04), (length / 2, 0.025, height), 0.5)]
    parts += [box((-length / 2, -0.015, 0.08), (length / 2, 0.015, 0.11), 0.5)]
    if rng.random() < 0.75:
        parts += [box((x - thick, -thick, 0.1), (x + thick, thick, height - 0.04), 1.0)
                  for x in np.arange(-length / 2 + pitch, length / 2, pitch)]  # fmt: skip
    else:
        parts += [rod((-length / 2, 0, z), (length / 2, 0, z), 0.006) for z in np.arange(0.2, height - 0.1, 0.13)]
    count = max(2, round(length / 1.4) + 1)
    parts += [box((x - 0.03, -0.03, 0), (x + 0.03, 0.03, height), 0.5)
              for x in np.linspace(-length / 2, length / 2, count)]  # fmt: skip
    material = paint.wood() if rng.random() < 0.45 else paint.plain(np.full(3, rng.choice([0.06, 0.2, 0.93])), 0.05)
    return item([(concatenate(parts), material)])


def slats(paint: Paint, width: float, height: float) -> Item:
    """A blind of tilted slats with its cords, hanging down from z = 0 along x."""
    rng = paint.rng
    pitch, tilt = float(rng.choice([0.035, 0.05])), float(rng.uniform(0.2, 1.1))
    c, s = np.cos(tilt), np.sin(tilt)
    turn = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    one = box((-width / 2, -pitch / 2, -0.0015), (width / 2, pitch / 2, 0.0015), 0.5).moved(turn, np.zeros(3))
    parts = [one.moved(np.eye(3), np.array([0, 0, -z])) for z in np.arange(pitch, height, pitch)]
    parts += [rod((x, 0, -height), (x, 0, 0), 0.003) for x in (-width / 3, width / 3)]
    parts.append(box((-width / 2, -0.02, -0.04), (width / 2, 0.02, 0), 0.5))
    return item([(concatenate(parts), paint.plain(np.full(3, rng.uniform(0.7, 0.95)), 0.03))])


def ceiling_fan(paint: Paint) -> Item:
    """A fan that hangs down from the origin."""
    rng = paint.rng
    count, reach, turn = int(rng.integers(3, 6)), float(rng.uniform(0.45, 0.65)), float(rng.random())
    blade = box((0.12, -0.06, -0.33), (reach, 0.06, -0.322), 0.3)
    blades = [blade.moved(rotation_z(turn + 2 * np.pi * i / count), np.zeros(3)) for i in range(count)]
    hub = cylinder(0.1, 0.14, 16).moved(np.eye(3), np.array([0, 0, -0.4]))
    stem = rod((0, 0, -0.3), (0, 0, 0), 0.015)
    globe = sphere(0.09, 12).moved(np.eye(3), np.array([0, 0, -0.46]))
    glass = paint.glowing((1.5, 1.4, 1.2)) if rng.random() < 0.5 else paint.plain(np.full(3, 0.9), 0.1, 0.04)
    metal = paint.metal()
    return item([(concatenate(blades), paint.wood()), (concatenate([hub, stem]), metal), (globe, glass)])


def arc_lamp(paint: Paint) -> Item:
    """A floor lamp on a long bent stem."""
    rng = paint.rng
    height, reach = float(rng.uniform(1.5, 1.9)), float(rng.uniform(0.5, 0.9))
    t = np.linspace(0, 1, 16)
    points = np.stack([reach * (t**2 - 0.5), 0 * t, height * np.sin(t * 2.1) / np.sin(2.1 * 0.75)], 1)
    foot = cylinder(0.14, 0.03, 18).moved(np.eye(3), np.array([-reach / 2, 0, 0]))
    shade = cylinder(0.08, 0.16, 16, 0.14).moved(np.diag([1.0, -1.0, -1.0]), points[-1] + np.array([0, 0, 0.05]))
    glow = float(rng.uniform(0.3, 2.0))
    shade_material = paint.glowing((glow, 0.85 * glow, 0.6 * glow)) if rng.random() < 0.4 else paint.vivid()
    return item([(concatenate([tube(points, 0.011), foot]), paint.metal()), (shade, shade_material)])


def twigs(rng: Rng, count: int, length: float, radius: float) -> tuple[MeshPart, np.ndarray]:
    """Branches from the origin upwards, each with side twigs; returns also the tips [tips, 3]."""
    parts, tips = [], []
    for _ in range(count):
        azimuth, lean = rng.uniform(0.0, 2 * np.pi), rng.uniform(0.05, 0.5)
        t = np.linspace(0, 1, 6)[:, None]
        out = np.array([np.cos(azimuth), np.sin(azimuth), 0])
        spine = length * rng.uniform(0.6, 1) * (t * np.array([0, 0, 1.0]) + lean * t**1.5 * out)
        parts.append(tube(spine, radius, 5))
        tips.append(spine[-1])
        for k in rng.integers(2, 6, int(rng.integers(0, 3))):
            end = spine[k] + 0.3 * length * (0.6 * rng.standard_normal(3) + np.array([0, 0, 0.6]))
            parts.append(rod(tuple(spine[k]), tuple(end), 0.6 * radius))
            tips.append(end)
    return concatenate(parts), np.array(tips)


def clothes_stand(paint: Paint) -> Item:
    """A coat stand: a pole with hooks and sometimes a coat."""
    rng = paint.rng
    pole = [rod((0, 0, 0), (0, 0, 1.75), 0.02)]
    pole += [rod((0, 0, 0.12), (0.25 * np.cos(a), 0.25 * np.sin(a), 0), 0.014) for a in np.arange(4) * np.pi / 2]
    pole += [rod((0, 0, 1.55), (0.14 * np.cos(a), 0.14 * np.sin(a), 1.72), 0.009) for a in np.arange(6) * np.pi / 3]
    parts = [(concatenate(pole), paint.wood())]
    if rng.random() < 0.7:
        coat = cylinder(0.17, 0.85, 14, 0.07).moved(np.eye(3), np.array([0.08, 0, 0.75]))
        parts.append((coat, paint.textured("fabric")))
    return item(parts)  # pyright: ignore[reportArgumentType]
