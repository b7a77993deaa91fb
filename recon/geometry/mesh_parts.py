"""Connected parts of a triangle mesh."""

import numpy as np
import torch
from jaxtyping import Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from recon.types import Mesh


def part_of_faces(mesh: Mesh) -> Int[np.ndarray, " faces"]:
    """A number for each face, the same for faces that hang together by common vertices."""
    faces = mesh.faces.numpy(force=True)
    starts, ends = faces[:, [0, 1]].reshape(-1), faces[:, [1, 2]].reshape(-1)
    links = coo_array((np.ones(len(starts), dtype=bool), (starts, ends)), shape=(len(mesh.vertices),) * 2)
    _, labels = connected_components(links, directed=False)
    return labels[faces[:, 0]].astype(np.int64)


def without_small_parts(mesh: Mesh, min_share: float) -> Mesh:
    """The mesh without parts that have less than `min_share` of the faces of its largest part."""
    parts = part_of_faces(mesh)
    counts = np.bincount(parts)
    return with_faces(mesh, torch.from_numpy(counts[parts] >= min_share * counts.max()).nonzero()[:, 0])


def with_faces(mesh: Mesh, chosen: Int[Tensor, " chosen"]) -> Mesh:
    """Some of the faces, and the vertices that they name."""
    used, faces = torch.unique(mesh.faces[chosen], return_inverse=True)

    def rows(values: Tensor | None) -> Tensor | None:
        return None if values is None else values[used]

    return Mesh(
        vertices=mesh.vertices[used],
        faces=faces,
        normals=rows(mesh.normals),
        vertex_colors=rows(mesh.vertex_colors),
        uv=rows(mesh.uv),
        texture=mesh.texture,
    )
