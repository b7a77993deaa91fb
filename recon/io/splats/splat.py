"""3D Gaussians as `.splat`, the rows of 32 bytes that web viewers stream.

A row: centre (3 float32), scales (3 float32, linear), red, green, blue and opacity (bytes), rotation (w, x, y, z) as
bytes with 128 for 0 and 0 for -1. There is no header: the length of the file gives the number of rows. Axes are those
of the PLY. Rows are sorted by volume times opacity, largest first, so that a viewer can show the beginning of a file.
"""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8

from recon.errors import ExportError, FormatError
from recon.geometry.spherical_harmonics import C0
from recon.io.atomic import atomic_write
from recon.io.checked import check_count, writable
from recon.io.file_bytes import file_size, read_bytes
from recon.io.limits import Limits
from recon.types import Gaussians

ROW = np.dtype([("mean", "<f4", 3), ("scale", "<f4", 3), ("rgba", "u1", 4), ("quat", "u1", 4)])


def write_splat(path: Path, gaussians: Gaussians) -> None:
    """Write Gaussians. View-dependent colour is lost; colour, opacity and rotation keep 8 bits a component.

    Raises:
        GeometryError: The Gaussians are not valid.
        ExportError: There are none, for which the format has no file; a value does not fit float32; or the file cannot
            be written.
    """
    g = by_importance(writable(path, gaussians))
    if not len(g):
        raise ExportError(f"{path}: there are no Gaussians, and .splat has no form for none", hint="write .ply instead")
    rows = np.zeros(len(g), ROW)
    rows["mean"], rows["scale"] = g.means.numpy(), g.scales.numpy()
    rgba = torch.cat([0.5 + C0 * g.sh[:, 0], g.opacities[:, None]], dim=1)
    rows["rgba"] = _bytes(255 * rgba.numpy())
    rows["quat"] = _bytes(128 + 128 * _largest_negative(g.quats.numpy()))
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        file.write(rows.data)


def decode_splat(path: Path, limits: Limits) -> Gaussians:
    """Read Gaussians; their values are not checked.

    Raises:
        InputError: The file cannot be read.
        FormatError: Its length is not a positive multiple of 32.
        LimitError: It holds more Gaussians than `limits` allow.
    """
    size = file_size(path)
    if not size or size % ROW.itemsize:
        raise FormatError(f"{path}: {size:,} bytes long, expected a positive multiple of {ROW.itemsize}")
    check_count(path, size // ROW.itemsize, limits)
    rows = np.frombuffer(read_bytes(path, 0, size), ROW)
    rgba = torch.from_numpy(rows["rgba"].astype(np.float32) / 255)
    quats = torch.from_numpy((rows["quat"].astype(np.float32) - 128) / 128)
    return Gaussians(
        means=torch.from_numpy(rows["mean"].astype(np.float32)),
        scales=torch.from_numpy(rows["scale"].astype(np.float32)),
        quats=torch.nn.functional.normalize(quats, dim=1),
        opacities=rgba[:, 3].clone(),
        sh=((rgba[:, None, :3] - 0.5) / C0),
    )


def by_importance(gaussians: Gaussians) -> Gaussians:
    """The Gaussians sorted by volume times opacity, largest first."""
    importance = gaussians.scales.double().log().sum(1).exp() * gaussians.opacities
    return gaussians[importance.argsort(descending=True, stable=True)]


def _bytes(values: Float[np.ndarray, "rows 4"]) -> UInt8[np.ndarray, "rows 4"]:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def _largest_negative(quats: Float[np.ndarray, "rows 4"]) -> Float[np.ndarray, "rows 4"]:
    """Of the two quaternions of a rotation the one whose largest component is negative: a byte holds -1, but not 1."""
    largest = np.take_along_axis(quats, np.abs(quats).argmax(1)[:, None], axis=1)
    return np.where(largest > 0, -quats, quats)
