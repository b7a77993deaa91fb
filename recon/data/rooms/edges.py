"""Which pixels need more than one sample."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool

if TYPE_CHECKING:
    from recon.data.rooms.render import Hits, Mirrored
    from recon.data.rooms.world import World

NORMAL_COS = 0.97
DEPTH_STEP = 0.02


def _steps(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return values[:, :, 1:] != values[:, :, :-1], values[:, 1:] != values[:, :-1]


def find_edges(
    world: "World", hits: "Hits", mirrored: "Mirrored", shape: tuple[int, int, int]
) -> Bool[np.ndarray, " pixels"]:
    """Pixels whose neighbour differs in material, normal, depth, sunshine or mirrored material.

    `shape` is the number of views, height and width. Inverse depth is linear on planes: only where it bends is an edge.
    """
    material = np.where(hits.face >= 0, world.face_material[hits.face], -1).astype(np.int32)
    behind = np.full(len(hits.face), -2, np.int32)
    face = mirrored.hits.face
    behind[mirrored.owner] = np.where(face >= 0, world.face_material[face], -1)
    code = material * 4096 + (behind + 2) * 2 + hits.sun.astype(np.int32)
    across, down = _steps(code.reshape(shape))
    normal = hits.normal.reshape(*shape, 3)
    across |= np.einsum("vijk,vijk->vij", normal[:, :, 1:], normal[:, :, :-1]) < NORMAL_COS
    down |= np.einsum("vijk,vijk->vij", normal[:, 1:], normal[:, :-1]) < NORMAL_COS
    inverse = np.where(hits.face >= 0, 1 / hits.distance, 0).reshape(shape)
    sky = (hits.face < 0).reshape(shape)
    across &= ~(sky[:, :, 1:] & sky[:, :, :-1])
    down &= ~(sky[:, 1:] & sky[:, :-1])
    edge = np.zeros(shape, bool)
    edge[:, :, 1:] |= across
    edge[:, :, :-1] |= across
    edge[:, 1:] |= down
    edge[:, :-1] |= down
    edge[:, :, 1:-1] |= _bends(inverse, 2)
    edge[:, 1:-1] |= _bends(inverse, 1)
    return edge.reshape(-1)


def _bends(inverse: np.ndarray, axis: int) -> np.ndarray:
    """Where inverse depth, which is linear on planes, bends; two shorter along `axis`."""
    bend = np.abs(np.diff(inverse, n=2, axis=axis))
    middle = np.take(inverse, range(1, inverse.shape[axis] - 1), axis=axis)
    return bend > DEPTH_STEP * np.maximum(middle, 1e-3)
