"""Meshes as binary glTF 2.0.

The numbers of the vertices are those of the world, the same as in `gaussians.ply`. glTF has +Y up, which the world need
not have: the node that holds the mesh carries the rotation from the world to glTF's axes, as every viewer applies it.
Faces wind counter-clockwise, and are shown from that side only, so that a room opens towards who looks in. Vertex
colours are linear in glTF, here 16 bits each; the photographs' light is in them, so the material takes no further light
(KHR_materials_unlit).
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt16

from recon.errors import ExportError
from recon.geometry.se3 import quat_from_rotation
from recon.io.glb_container import write_glb
from recon.types import Mesh

ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
FLOAT, UNSIGNED_SHORT, UNSIGNED_INT = 5126, 5123, 5125
TRIANGLES = 4
UNLIT = "KHR_materials_unlit"


def write_mesh_glb(path: Path, mesh: Mesh, gltf_from_world: Float[np.ndarray, "3 3"]) -> None:
    """Write a mesh with normals and vertex colours where it has them; the file appears whole or not at all.

    Args:
        path: The .glb file.
        mesh: In the world.
        gltf_from_world: Rotation to axes with +Y up.

    Raises:
        GeometryError: The mesh is not valid.
        ExportError: It has no face, has a texture, which this writer does not know, or the file cannot be written.
    """
    mesh.validate()
    if not len(mesh.faces):
        raise ExportError(f"{path}: the mesh has no face, and glTF has no empty tables")
    if mesh.texture is not None:
        raise ExportError(f"{path}: the mesh has a texture, this file takes vertex colours")
    tables: dict[str, np.ndarray] = {"POSITION": mesh.vertices.numpy(force=True).astype("<f4")}
    if mesh.normals is not None:
        tables["NORMAL"] = mesh.normals.numpy(force=True).astype("<f4")
    if mesh.vertex_colors is not None:
        tables["COLOR_0"] = linear_colors(mesh.vertex_colors.numpy(force=True))
    tables["indices"] = mesh.faces.numpy(force=True).astype("<u4").reshape(-1)
    write_glb(path, _document(tables, gltf_from_world), list(tables.values()))


def linear_colors(srgb: Float[np.ndarray, "vertices 3"]) -> UInt16[np.ndarray, "vertices 4"]:
    """Linear red, green, blue and an alpha of 1, each scaled to 0..65535 (IEC 61966-2-1, the curve of sRGB)."""
    srgb = srgb.astype(np.float64).clip(0, 1)
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    opaque = np.ones((len(srgb), 1))
    return (np.concatenate([linear, opaque], axis=1) * 65535).round().astype("<u2")


def _document(tables: dict[str, np.ndarray], gltf_from_world: Float[np.ndarray, "3 3"]) -> dict[str, Any]:
    views, offset = [], 0
    for name, table in tables.items():
        target = ELEMENT_ARRAY_BUFFER if name == "indices" else ARRAY_BUFFER
        views.append({"buffer": 0, "byteOffset": offset, "byteLength": table.nbytes, "target": target})
        offset += table.nbytes
    names = list(tables)
    primitive = {
        "attributes": {name: i for i, name in enumerate(names) if name != "indices"},
        "indices": names.index("indices"),
        "material": 0,
        "mode": TRIANGLES,
    }
    return {
        "asset": {"version": "2.0", "generator": "recon"},
        "extensionsUsed": [UNLIT],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "scene", "mesh": 0, "rotation": _quat_xyzw(gltf_from_world)}],
        "meshes": [{"name": "surface", "primitives": [primitive]}],
        "materials": [
            {
                "name": "vertex colours",
                "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 1.0},
                "extensions": {UNLIT: {}},
            }
        ],
        "accessors": [_accessor(name, table, i) for i, (name, table) in enumerate(tables.items())],
        "bufferViews": views,
        "buffers": [{"byteLength": offset}],
    }


def _accessor(name: str, table: np.ndarray, view: int) -> dict[str, Any]:
    kind = {"<f4": FLOAT, "<u2": UNSIGNED_SHORT, "<u4": UNSIGNED_INT}[table.dtype.str]
    shape = "SCALAR" if table.ndim == 1 else f"VEC{table.shape[1]}"
    accessor: dict[str, Any] = {"bufferView": view, "componentType": kind, "count": len(table), "type": shape}
    if name == "POSITION":
        accessor |= {"min": table.min(0).tolist(), "max": table.max(0).tolist()}
    if kind == UNSIGNED_SHORT:
        accessor["normalized"] = True
    return accessor


def _quat_xyzw(rotation: Float[np.ndarray, "3 3"]) -> list[float]:
    """A quaternion as glTF wants it."""
    w, x, y, z = quat_from_rotation(torch.from_numpy(np.asarray(rotation, dtype=np.float64))).tolist()
    return [x, y, z, w]
