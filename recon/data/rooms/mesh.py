"""Triangle meshes of simple bodies, in metres, z up, texture coordinates in metres."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Float32, Int32

# Light is not sampled on the very edge of a surface, where it would leak in from behind the neighbouring surface.
EDGE_MARGIN = 0.015

Vector = tuple[float, float, float]
Corner = tuple[float | int, float | int, float | int]


@dataclass(frozen=True)
class MeshPart:
    """A piece of a world.

    Attributes:
        positions: Vertices in metres.
        normals: Unit shading normals.
        uvs: Texture coordinates; metres on procedural bodies, texture repeats on catalogue models.
        faces: Vertex indices.
        light_positions: Where the light that falls on each vertex is measured, near `positions`.
    """

    positions: Float32[np.ndarray, "vertices 3"]
    normals: Float32[np.ndarray, "vertices 3"]
    uvs: Float32[np.ndarray, "vertices 2"]
    faces: Int32[np.ndarray, "faces 3"]
    light_positions: Float32[np.ndarray, "vertices 3"]

    def moved(self, rotation: Float[np.ndarray, "3 3"], translation: Float[np.ndarray, "3"]) -> "MeshPart":
        """The part after x -> R x + t; R is orthonormal."""
        turn = rotation.astype(np.float32).T
        shift = translation.astype(np.float32)
        return replace(
            self,
            positions=self.positions @ turn + shift,
            normals=self.normals @ turn,
            light_positions=self.light_positions @ turn + shift,
        )

    def flipped(self) -> "MeshPart":
        """The part turned inside out."""
        return replace(self, normals=-self.normals, faces=np.ascontiguousarray(self.faces[:, ::-1]))


def concatenate(parts: list[MeshPart]) -> MeshPart:
    """All parts as one."""
    starts = np.cumsum([0, *(len(p.positions) for p in parts[:-1])])
    return MeshPart(
        positions=np.concatenate([p.positions for p in parts]),
        normals=np.concatenate([p.normals for p in parts]),
        uvs=np.concatenate([p.uvs for p in parts]),
        faces=np.concatenate([p.faces + np.int32(s) for p, s in zip(parts, starts, strict=True)]),
        light_positions=np.concatenate([p.light_positions for p in parts]),
    )


def rotation_z(angle: float) -> Float[np.ndarray, "3 3"]:
    """Rotation about the vertical axis, counter-clockwise seen from above."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


@lru_cache(maxsize=4096)
def grid_faces(num_u: int, num_v: int) -> Int32[np.ndarray, "faces 3"]:
    """Triangles of a grid of `num_v` rows of `num_u` vertices."""
    index = np.arange(num_u * num_v, dtype=np.int32).reshape(num_v, num_u)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    return np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])


@lru_cache(maxsize=4096)
def _unit_grid(num_u: int, num_v: int) -> Float32[np.ndarray, "vertices 2"]:
    u, v = np.meshgrid(np.linspace(0, 1, num_u, dtype=np.float32), np.linspace(0, 1, num_v, dtype=np.float32))
    return np.stack([u.ravel(), v.ravel()], 1)


def _vector(values: Float[np.ndarray, "3"]) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def rectangle(
    origin: Float[np.ndarray, "3"],
    edge_u: Float[np.ndarray, "3"],
    edge_v: Float[np.ndarray, "3"],
    spacing: float = 0.15,
    uv_origin: tuple[float, float] = (0.0, 0.0),
    swap_uv: bool = False,
) -> MeshPart:
    """A parallelogram cut into cells of at most `spacing`; its normal is edge_u x edge_v."""
    u, v = _vector(edge_u), _vector(edge_v)
    length_u, length_v = math.hypot(*u), math.hypot(*v)
    num_u, num_v = (max(2, math.ceil(n / spacing) + 1) for n in (length_u, length_v))
    grid = _unit_grid(num_u, num_v)
    margin = np.array([min(0.25, EDGE_MARGIN / max(n, 1e-6)) for n in (length_u, length_v)], np.float32)
    cross = _cross(u, v)
    area = max(math.hypot(*cross), 1e-12)
    edges = np.array([u, v], np.float32)
    start = np.asarray(origin, np.float32)
    uv = grid * np.array([length_u, length_v], np.float32) + np.array(uv_origin, np.float32)
    normals = np.empty((len(grid), 3), np.float32)
    normals[:] = [c / area for c in cross]
    return MeshPart(
        positions=grid @ edges + start,
        normals=normals,
        uvs=np.ascontiguousarray(uv[:, ::-1]) if swap_uv else uv,
        faces=grid_faces(num_u, num_v),
        light_positions=np.clip(grid, margin, 1 - margin) @ edges + start,
    )


def box(low: Corner, high: Corner, spacing: float = 0.3) -> MeshPart:
    """An axis-aligned box; the texture's u runs along its longest edge where a face has that edge."""
    lo, hi = np.array(low, float), np.array(high, float)
    size = hi - lo
    longest = int(size.argmax())
    sides = []
    for axis in range(3):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        edge_u, edge_v = np.zeros(3), np.zeros(3)
        edge_u[first], edge_v[second] = size[first], size[second]
        top = lo.copy()
        top[axis] = hi[axis]
        swap = bool(second == longest or (axis == longest and size[second] > size[first]))
        sides.append(rectangle(top, edge_u, edge_v, spacing, swap_uv=swap))
        sides.append(rectangle(lo, edge_v, edge_u, spacing, swap_uv=not swap))
    return concatenate(sides)


def lathe(profile: list[tuple[float | int, float | int]], segments: int = 20) -> MeshPart:
    """A body of revolution about z.

    Args:
        profile: (radius, height) from bottom to top on the outside; equal neighbours make a crease.
        segments: Vertices around.
    """
    points = np.array(profile, float)
    steps = np.diff(points, axis=0)
    segment_normals = np.stack([steps[:, 1], -steps[:, 0]], 1)
    segment_normals /= np.maximum(np.linalg.norm(segment_normals, axis=1, keepdims=True), 1e-9)
    normals = np.zeros_like(points)
    normals[:-1] += segment_normals
    normals[1:] += segment_normals
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    cos, sin = np.cos(angle)[None, :], np.sin(angle)[None, :]
    height = np.broadcast_to(points[:, 1:2], (len(points), segments + 1))
    travelled = np.concatenate([[0], np.cumsum(np.linalg.norm(steps, axis=1))])[:, None]
    around = angle[None, :] * max(float(points[:, 0].mean()), 1e-3)
    positions = np.stack([points[:, :1] * cos, points[:, :1] * sin, height], -1).reshape(-1, 3)
    slopes = np.stack([normals[:, :1] * cos, normals[:, :1] * sin, np.repeat(normals[:, 1:2], segments + 1, 1)], -1)
    uvs = np.stack(np.broadcast_arrays(around, travelled), -1).reshape(-1, 2)
    return MeshPart(
        positions=positions.astype(np.float32),
        normals=slopes.reshape(-1, 3).astype(np.float32),
        uvs=uvs.astype(np.float32),
        faces=grid_faces(segments + 1, len(points)),
        light_positions=positions.astype(np.float32),
    )


def cylinder(radius: float, height: float, segments: int = 16, top_radius: float | None = None) -> MeshPart:
    """A closed cylinder or cone frustum on the ground."""
    top = radius if top_radius is None else top_radius
    side = lathe([(radius, 0.0), (top, height)], segments)
    lid = lathe([(top, height), (1e-4, height)], segments)
    floor = lathe([(1e-4, 0.0), (radius, 0.0)], segments)
    return concatenate([side, lid, floor])


def sphere(radius: float, segments: int = 16) -> MeshPart:
    """A sphere around the origin."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, segments // 2 + 1)
    return lathe([(max(radius * np.cos(a), 1e-4), radius * np.sin(a)) for a in angle], segments)
