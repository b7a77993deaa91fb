"""Bringing catalogue models into the form that the renderer wants: size, normals, short edges."""

import numpy as np
from jaxtyping import Float, Float32, Int32

# OBJ models have y up and their front towards +z; here z is up and the front looks towards -y.
OBJ_TO_WORLD = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])


def fit_to_size(
    positions: Float[np.ndarray, "vertices 3"], size: tuple[float, float, float]
) -> Float32[np.ndarray, "vertices 3"]:
    """Scale each axis so that the bounding box has `size` (metres), centred over the origin and standing on it."""
    low, high = positions.min(0), positions.max(0)
    scale = np.array(size) / np.maximum(high - low, 1e-6)
    centre = np.array([*(low + high)[:2] / 2, low[2]])
    return ((positions - centre) * scale).astype(np.float32)


def face_normals(
    positions: Float32[np.ndarray, "vertices 3"], faces: Int32[np.ndarray, "faces 3"]
) -> Float32[np.ndarray, "faces 3"]:
    """Unit normals of triangles; zero for degenerate ones."""
    a, b, c = (positions[faces[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)


def repair_normals(
    positions: Float32[np.ndarray, "vertices 3"],
    normals: Float32[np.ndarray, "vertices 3"],
    faces: Int32[np.ndarray, "faces 3"],
) -> tuple[Float32[np.ndarray, "vertices 3"], Int32[np.ndarray, "faces 3"]]:
    """Unit normals; vertices without one get the mean of their faces."""
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    flat = face_normals(positions, faces)
    summed = np.zeros_like(positions)
    for corner in range(3):
        np.add.at(summed, faces[:, corner], flat)
    summed /= np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-9)
    return np.where(length > 0.1, normals / np.maximum(length, 1e-9), summed).astype(np.float32), faces


def subdivide(
    positions: Float32[np.ndarray, "vertices 3"],
    normals: Float32[np.ndarray, "vertices 3"],
    faces: Int32[np.ndarray, "faces 3"],
    uvs: Float32[np.ndarray, "vertices 2"],
    face_materials: Int32[np.ndarray, " faces"],
    longest: float,
) -> dict[str, np.ndarray]:
    """Split triangles at the middle of their longest edge until none is longer than `longest` metres.

    Light is kept at vertices, so that long edges would lose shadows.
    """
    attributes = np.concatenate([positions, normals, uvs], 1)
    for _ in range(12):
        corners = attributes[faces, :3]
        edges = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2)
        split = edges.max(1) > longest
        if not split.any() or len(faces) > 60_000:
            break
        start = edges[split].argmax(1)
        rows = np.arange(len(start))
        old = faces[split]
        a, b, c = old[rows, start], old[rows, (start + 1) % 3], old[rows, (start + 2) % 3]
        low, high = np.minimum(a, b), np.maximum(a, b)
        pairs, inverse = np.unique(np.stack([low, high], 1), axis=0, return_inverse=True)
        middle = (len(attributes) + inverse.reshape(-1)).astype(np.int32)
        attributes = np.concatenate([attributes, attributes[pairs].mean(1)])
        halves = np.concatenate([np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)])
        faces = np.concatenate([faces[~split], halves]).astype(np.int32)
        face_materials = np.concatenate([face_materials[~split], np.tile(face_materials[split], 2)])
    used, compact = np.unique(faces, return_inverse=True)
    attributes = attributes[used].astype(np.float32)
    normals = attributes[:, 3:6]
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return {
        "positions": np.ascontiguousarray(attributes[:, :3]),
        "normals": normals,
        "uvs": np.ascontiguousarray(attributes[:, 6:]),
        "faces": compact.reshape(-1, 3).astype(np.int32),
        "face_materials": face_materials.astype(np.int32),
    }
