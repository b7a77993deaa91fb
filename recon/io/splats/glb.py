"""3D Gaussians as binary glTF with the Khronos extension KHR_gaussian_splatting (release candidate).

One primitive of kind POINTS: POSITION, rotations (x, y, z, w), scales (linear), opacities (0..1), harmonic coefficients
one accessor each, all float32, and COLOR_0 in 8 bits for viewers that only know points. glTF's y is up: the values in
the file are turned by half a turn about x (right, down, forward to right, up, backward), which only changes signs; no
node carries a transform.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from recon.errors import ExportError
from recon.geometry.half_turn import turned_about_x
from recon.geometry.spherical_harmonics import C0
from recon.io.checked import writable
from recon.io.glb_container import write_glb
from recon.types import Gaussians

EXTENSION = "KHR_gaussian_splatting"
POINTS, ARRAY_BUFFER = 0, 34962
FLOAT, UNSIGNED_BYTE = 5126, 5121
PROPERTIES = {
    "kernel": "ellipse",
    "colorSpace": "srgb_rec709_display",
    "sortingMethod": "cameraDistance",
    "projection": "perspective",
}


def write_gaussian_glb(path: Path, gaussians: Gaussians) -> None:
    """Write Gaussians, none changed by more than the rounding to float32.

    Raises:
        GeometryError: The Gaussians are not valid.
        ExportError: There are none, for which glTF has no accessor; a value does not fit float32; the file would be
            larger than 4 GiB; or it cannot be written.
    """
    g = turned_about_x(writable(path, gaussians))
    if not len(g):
        raise ExportError(f"{path}: there are no Gaussians, and glTF has no empty tables", hint="write .ply instead")
    tables = _tables(g)
    accessors, views, offset = [], [], 0
    for name, table in tables.items():
        accessors.append(_accessor(name, table, len(views)))
        views.append({"buffer": 0, "byteOffset": offset, "byteLength": table.nbytes, "target": ARRAY_BUFFER})
        offset += table.nbytes
    primitive = {
        "attributes": {name: i for i, name in enumerate(tables)},
        "mode": POINTS,
        "extensions": {EXTENSION: PROPERTIES},
    }
    document = {
        "asset": {"version": "2.0", "generator": "recon"},
        "extensionsUsed": [EXTENSION],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [primitive]}],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": offset}],
    }
    write_glb(path, document, list(tables.values()))


def harmonic_names(degree: int) -> list[str]:
    """Attributes of the harmonic coefficients, by index l^2 + l + m."""
    return [f"{EXTENSION}:SH_DEGREE_{band}_COEF_{n}" for band in range(degree + 1) for n in range(2 * band + 1)]


def _tables(g: Gaussians) -> dict[str, np.ndarray]:
    color = torch.cat([0.5 + C0 * g.sh[:, 0], g.opacities[:, None]], dim=1)
    tables = {
        "POSITION": g.means,
        "COLOR_0": (255 * color).round().clamp(0, 255).byte(),
        f"{EXTENSION}:ROTATION": g.quats[:, [1, 2, 3, 0]],
        f"{EXTENSION}:SCALE": g.scales,
        f"{EXTENSION}:OPACITY": g.opacities,
    }
    tables |= {name: g.sh[:, i] for i, name in enumerate(harmonic_names(g.sh_degree))}
    return {name: np.ascontiguousarray(table.numpy()) for name, table in tables.items()}


def _accessor(name: str, table: np.ndarray, view: int) -> dict[str, Any]:
    accessor: dict[str, Any] = {
        "bufferView": view,
        "componentType": UNSIGNED_BYTE if table.dtype == np.uint8 else FLOAT,
        "count": len(table),
        "type": "SCALAR" if table.ndim == 1 else f"VEC{table.shape[1]}",
    }
    if table.dtype == np.uint8:
        accessor["normalized"] = True
    if name == "POSITION":
        accessor |= {"min": table.min(0).tolist(), "max": table.max(0).tolist()}
    return accessor
