"""Gaussians as programs of other people read them: plyfile, PlayCanvas's splat-transform, glTF-Transform.

Nothing of `recon.io` is used, so that an error there cannot cancel.
"""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import torch
from plyfile import PlyData

from recon.types import Gaussians

EXTENSION = "KHR_gaussian_splatting:"
ODD_IN_YZ = (1, 2, 4, 7, 9, 11, 12, 14)
"""Of 1 | y z x | xy yz 3zz-1 xz xx-yy | y(3xx-yy) xyz y(5zz-1) z(5zz-3) x(5zz-1) z(xx-yy) x(xx-3yy)."""


def with_plyfile(path: Path) -> Gaussians:
    """The columns of a 3DGS PLY, as plyfile finds them."""
    (vertex,) = PlyData.read(str(path)).elements
    names = [p.name for p in vertex.properties]
    num_rest = sum(name.startswith("f_rest_") for name in names)

    def columns(stem: str, num: int) -> torch.Tensor:
        rows = [np.asarray(vertex[f"{stem}_{i}"], np.float32) for i in range(num)]
        return torch.from_numpy(np.stack(rows, 1)) if rows else torch.zeros(vertex.count, 0)

    rest = columns("f_rest", num_rest).reshape(vertex.count, 3, num_rest // 3).transpose(1, 2)
    return Gaussians(
        means=torch.from_numpy(np.stack([vertex[axis] for axis in "xyz"], 1)),
        scales=columns("scale", 3).exp(),
        quats=torch.nn.functional.normalize(columns("rot", 4), dim=1),
        opacities=torch.from_numpy(np.array(vertex["opacity"])).sigmoid(),
        sh=torch.cat([columns("f_dc", 3)[:, None], rest], 1),
    )


def with_splat_transform(readers: Path, path: Path) -> Gaussians:
    """A file converted to PLY by splat-transform, then read by plyfile."""
    program = readers / "node_modules" / "@playcanvas" / "splat-transform" / "bin" / "cli.mjs"
    target = path.with_name(f"{path.name}.converted.ply")
    subprocess.run(["node", str(program), "-q", "-w", str(path), str(target)], check=True, stdout=subprocess.DEVNULL)
    return with_plyfile(target)


def with_gltf_transform(readers: Path, path: Path) -> tuple[Gaussians, list[dict[str, Any]]]:
    """The tables of a GLB in the axes of the PLY, and the errors that the Khronos validator finds in the file.

    The validator does not know the extension, so it calls the names of its attributes invalid; these are left out.
    """
    script = Path(__file__).parent / "read_glb.cjs"
    done = subprocess.run(["node", str(script), str(readers), str(path)], check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    tables = {name: _array(table) for name, table in found["tables"].items()}
    num = sum(name.startswith(f"{EXTENSION}SH_") for name in tables)
    names = [f"{EXTENSION}SH_DEGREE_{band}_COEF_{n}" for band in range(4) for n in range(2 * band + 1)]
    sh = np.stack([tables[name] for name in names[:num]], 1)
    # Half a turn about x: y and z change sign, and so do the basis functions that are odd in the two together.
    sh[:, [k for k in ODD_IN_YZ if k < num]] *= -1
    gaussians = Gaussians(
        means=torch.from_numpy(tables["POSITION"] * np.float32([1, -1, -1])),
        scales=torch.from_numpy(tables[f"{EXTENSION}SCALE"]),
        quats=torch.from_numpy(tables[f"{EXTENSION}ROTATION"][:, [3, 0, 1, 2]] * np.float32([1, 1, -1, -1])),
        opacities=torch.from_numpy(tables[f"{EXTENSION}OPACITY"][:, 0]),
        sh=torch.from_numpy(sh),
    )
    errors = [m for m in found["messages"] if m["severity"] == 0 and not _is_name_of_extension(m)]
    return gaussians, errors


def _array(table: dict[str, Any]) -> np.ndarray:
    kind = {"Float32Array": np.float32, "Uint8Array": np.uint8}[table["type"]]
    return np.frombuffer(base64.b64decode(table["data"]), kind).reshape(-1, table["width"]).copy()


def _is_name_of_extension(message: dict[str, Any]) -> bool:
    return message["code"] == "MESH_PRIMITIVE_INVALID_ATTRIBUTE" and f"/attributes/{EXTENSION}" in message["pointer"]
