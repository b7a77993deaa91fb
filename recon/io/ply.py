"""3D Gaussians as the binary PLY of Kerbl et al. 2023, which splat viewers and editors read.

One element `vertex` of float32 properties: `x y z nx ny nz f_dc_0..2 f_rest_0.. opacity scale_0..2 rot_0..3`. Higher
harmonics stand channel by channel (all of red, then green, then blue), opacities as logits, scales as natural
logarithms, rotations as (w, x, y, z). Normals are zero.
"""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from recon.errors import ExportError, FormatError, GeometryError
from recon.io.atomic import atomic_write
from recon.io.limits import DEFAULT_LIMITS, Limits
from recon.io.ply_header import read_header
from recon.types import Gaussians

# A logit or logarithm beyond these would become 0, 1 or infinity in float32.
OPACITY_MARGIN = 1e-7
LARGEST_LOG_SCALE = 60.0
NUM_REST = (0, 9, 24, 45)


def write_ply(path: Path, gaussians: Gaussians) -> None:
    """Write Gaussians; the file appears whole or not at all.

    Raises:
        GeometryError: The Gaussians are not valid.
        ExportError: The file cannot be written, or a value does not fit float32.
    """
    gaussians.validate()
    table = _table_of(gaussians)
    names = _property_names(gaussians.sh.shape[1])
    if not np.isfinite(table).all():
        raise ExportError(f"{path}: some values do not fit single precision", hint="scale the scene down")
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(table)}"]
    header += [f"property float {name}" for name in names] + ["end_header", ""]
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        file.write("\n".join(header).encode("ascii"))
        file.write(table.data)


def read_ply(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Gaussians:
    """Read Gaussians that this or another program wrote; quaternions are normalised, normals ignored.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is not a PLY file of Gaussians, or its length does not fit its header.
        GeometryError: Values are NaN or infinite, or a rotation is zero; the message tells where.
        LimitError: It holds more Gaussians than `limits` allow.
    """
    header = read_header(path, limits=limits)
    columns = {name: i for i, name in enumerate(header.properties)}
    num_rest = sum(name.startswith("f_rest_") for name in header.properties)
    if num_rest not in NUM_REST:
        raise FormatError(f"{path}: {num_rest} properties f_rest_*, expected one of {NUM_REST}")
    names = _property_names(num_rest // 3 + 1)
    missing = [name for name in names if name not in columns and name not in ("nx", "ny", "nz")]
    if missing:
        raise FormatError(f"{path}: not a PLY file of 3D Gaussians, without the properties {' '.join(missing)}")
    with path.open("rb") as file:
        file.seek(header.num_bytes)
        flat = np.fromfile(file, "<f4", header.num_vertices * len(columns))
    table = flat.reshape(header.num_vertices, len(columns))
    return _gaussians_of({name: table[:, column] for name, column in columns.items()}, num_rest // 3, path)


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


def _table_of(gaussians: Gaussians) -> Float[np.ndarray, "gaussians properties"]:
    g = gaussians.detach().to("cpu")
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
    with np.errstate(over="ignore"):
        return np.concatenate([part.numpy().astype("<f4") for part in parts], axis=1)


def _gaussians_of(columns: dict[str, np.ndarray], num_higher: int, path: Path) -> Gaussians:
    def stacked(stem: str, num: int) -> torch.Tensor:
        part = [columns[f"{stem}_{i}"] for i in range(num)]
        return torch.from_numpy(np.stack(part, axis=1)) if part else torch.zeros(len(columns["x"]), 0)

    means = torch.from_numpy(np.stack([columns[axis] for axis in "xyz"], axis=1))
    higher = stacked("f_rest", 3 * num_higher).unflatten(1, (3, num_higher)).mT
    quats = stacked("rot", 4)
    norms = quats.norm(dim=1, keepdim=True)
    if bool((norms == 0).any()):
        raise GeometryError(f"{path}: the rotation of Gaussian {int((norms == 0).nonzero()[0, 0])} is zero")
    return Gaussians(
        means=means,
        scales=stacked("scale", 3).clamp(-LARGEST_LOG_SCALE, LARGEST_LOG_SCALE).exp(),
        quats=quats / norms,
        opacities=torch.from_numpy(np.ascontiguousarray(columns["opacity"])).sigmoid(),
        sh=torch.cat([stacked("f_dc", 3)[:, None], higher], dim=1),
    ).validate()
