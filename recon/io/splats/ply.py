"""3D Gaussians as the binary PLY of Kerbl et al. 2023, which splat viewers and editors read.

One element `vertex` of float32 properties: `x y z nx ny nz f_dc_0..2 f_rest_0.. opacity scale_0..2 rot_0..3`. Higher
harmonics stand channel by channel (all of red, then green, then blue), opacities as logits, scales as natural
logarithms, rotations as (w, x, y, z). Normals are zero.
"""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from recon.errors import FormatError
from recon.io.atomic import atomic_write
from recon.io.checked import checked, writable
from recon.io.limits import DEFAULT_LIMITS, Limits
from recon.io.splats.ply_compressed import is_compressed, unpack
from recon.io.splats.ply_header import PlyElement, read_header
from recon.types import Gaussians

# A logit or logarithm beyond these would become 0, 1 or infinity in float32.
OPACITY_MARGIN = 1e-7
LARGEST_LOG_SCALE = 60.0
NUM_REST = (0, 9, 24, 45)


def write_ply(path: Path, gaussians: Gaussians) -> None:
    """Write Gaussians, none lost and none changed by more than the rounding to float32; the file appears whole or not.

    No Gaussians at all give a valid file of no rows.

    Raises:
        GeometryError: The Gaussians are not valid.
        ExportError: The file cannot be written, or a value does not fit float32.
    """
    table = _table_of(writable(path, gaussians))
    names = _property_names(gaussians.sh.shape[1])
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(table)}"]
    header += [f"property float {name}" for name in names] + ["end_header", ""]
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        file.write("\n".join(header).encode("ascii"))
        file.write(table.data)


def read_ply(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Gaussians:
    """Read Gaussians that this or another program wrote.

    Properties may stand in any order; normals, further properties and further elements are ignored; quaternions are
    normalised. The compressed PLY of PlayCanvas is read, too.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is not a PLY file of Gaussians, or its length does not fit its header.
        GeometryError: Values are NaN or infinite, or a rotation is zero; the message tells where.
        LimitError: It holds more Gaussians than `limits` allow.
    """
    return checked(path, decode_ply(path, limits))


def decode_ply(path: Path, limits: Limits) -> Gaussians:
    """What `read_ply` reads, before values are checked."""
    header = read_header(path, limits=limits)
    if is_compressed(header):
        return unpack(path, header)
    if "vertex" not in header.elements:
        raise FormatError(f"{path}: elements {' '.join(header.elements)}, expected vertex")
    num_rest = _num_rest(path, header.elements["vertex"])
    return _gaussians_of(header.read(path, "vertex"), num_rest // 3)


def _num_rest(path: Path, vertex: PlyElement) -> int:
    """Number of `f_rest_*`, once all other properties are known to be there, as float32."""
    num_rest = sum(name.startswith("f_rest_") for name in vertex.properties)
    if num_rest not in NUM_REST:
        raise FormatError(f"{path}: {num_rest} properties f_rest_*, expected one of {NUM_REST}")
    needed = [name for name in _property_names(num_rest // 3 + 1) if name not in ("nx", "ny", "nz")]
    missing = [name for name in needed if name not in vertex.properties]
    if missing:
        raise FormatError(
            f"{path}: not a PLY file of 3D Gaussians, without the properties {' '.join(missing)}",
            hint="point clouds and meshes are other formats",
        )
    others = [name for name in needed if vertex.dtype[name] != np.dtype("<f4")]
    if others:
        raise FormatError(f"{path}: the properties {' '.join(others)} are not of type float")
    return num_rest


def _property_names(num_coefficients: int) -> list[str]:
    rest = 3 * (num_coefficients - 1)
    return [
        *("x", "y", "z", "nx", "ny", "nz"),
        *(f"f_dc_{i}" for i in range(3)),
        *(f"f_rest_{i}" for i in range(rest)),
        "opacity",
        *(f"scale_{i}" for i in range(3)),
        *(f"rot_{i}" for i in range(4)),
    ]


def _table_of(g: Gaussians) -> Float[np.ndarray, "gaussians properties"]:
    opacity = g.opacities.double().clamp(OPACITY_MARGIN, 1 - OPACITY_MARGIN).logit()
    log_scales = g.scales.double().log().clamp(-LARGEST_LOG_SCALE, LARGEST_LOG_SCALE)
    parts = [
        g.means,
        torch.zeros_like(g.means),
        g.sh[:, 0],
        g.sh[:, 1:].mT.flatten(1),
        opacity[:, None],
        log_scales,
        g.quats,
    ]
    return np.concatenate([part.numpy().astype("<f4") for part in parts], axis=1)


def _gaussians_of(rows: np.ndarray, num_higher: int) -> Gaussians:
    def stacked(stem: str, num: int) -> torch.Tensor:
        part = [rows[f"{stem}_{i}"] for i in range(num)]
        return torch.from_numpy(np.stack(part, axis=1)) if part else torch.zeros(len(rows), 0)

    higher = stacked("f_rest", 3 * num_higher).unflatten(1, (3, num_higher)).mT
    return Gaussians(
        means=torch.from_numpy(np.stack([rows[axis] for axis in "xyz"], axis=1)),
        scales=stacked("scale", 3).clamp(-LARGEST_LOG_SCALE, LARGEST_LOG_SCALE).exp(),
        quats=torch.nn.functional.normalize(stacked("rot", 4), dim=1),
        opacities=torch.from_numpy(np.ascontiguousarray(rows["opacity"])).sigmoid(),
        sh=torch.cat([stacked("f_dc", 3)[:, None], higher], dim=1),
    )
