"""The compressed PLY of PlayCanvas: 16 bytes a Gaussian, and a byte for each higher harmonic coefficient.

Every 256 rows of `vertex` share a row of `chunk`, which holds the bounds that packed positions, logarithms of scales
and, in newer files, colours run between. Bits from the highest: position and scale 11-10-11, colour and opacity
8-8-8-8, rotation 2 for the index of the largest component of (w, x, y, z) and 10 for each of the others, in order,
from -1/sqrt(2) to 1/sqrt(2). The element `sh`, if any, holds `f_rest_*` as bytes from -4 to 4.
"""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt32

from recon.errors import FormatError
from recon.geometry.spherical_harmonics import C0
from recon.io.splats.ply_header import PlyElement, PlyHeader
from recon.types import Gaussians

ROWS_PER_CHUNK = 256
PACKED = ("packed_position", "packed_rotation", "packed_scale", "packed_color")
BOUNDS = tuple(f"{end}_{axis}" for end in ("min", "max") for axis in ("x", "y", "z", "scale_x", "scale_y", "scale_z"))
COLOR_BOUNDS = tuple(f"{end}_{channel}" for end in ("min", "max") for channel in "rgb")
SH_RANGE = 8.0
LARGEST_LOG_SCALE = 60.0


def is_compressed(header: PlyHeader) -> bool:
    """Whether the elements are those of a compressed PLY."""
    return "chunk" in header.elements and "vertex" in header.elements and _has(header.elements["vertex"], PACKED, "<u4")


def unpack(path: Path, header: PlyHeader) -> Gaussians:
    """Read the Gaussians; their values are not checked.

    Raises:
        FormatError: Elements do not fit each other.
    """
    chunk, vertex, sh = header.elements["chunk"], header.elements["vertex"], header.elements.get("sh")
    num_rest = len(sh.properties) if sh else 0
    names = tuple(f"f_rest_{i}" for i in range(num_rest))
    if not _has(chunk, BOUNDS, "<f4") or chunk.num_rows != -(-vertex.num_rows // ROWS_PER_CHUNK):
        raise FormatError(f"{path}: the element chunk does not fit the {vertex.num_rows:,} rows of vertex")
    if sh and (num_rest not in (9, 24, 45) or not _has(sh, names, "u1") or sh.num_rows != vertex.num_rows):
        raise FormatError(f"{path}: the element sh does not fit the {vertex.num_rows:,} rows of vertex")
    rows = header.read(path, "vertex")
    bounds = np.repeat(header.read(path, "chunk"), ROWS_PER_CHUNK)[: len(rows)]
    log_scales = _between(bounds, _fields(rows["packed_scale"], (11, 10, 11)), "scale_x", "scale_y", "scale_z")
    color = _fields(rows["packed_color"], (8, 8, 8, 8))
    rgb = color[:, :3]
    if _has(chunk, COLOR_BOUNDS, "<f4"):
        rgb = _between(bounds, rgb, *"rgb")
    higher = np.zeros((len(rows), 0, 3), np.float32)
    if sh:
        table = header.read(path, "sh")
        higher = _harmonics(np.stack([table[name] for name in names], axis=1))
    return Gaussians(
        means=torch.from_numpy(_between(bounds, _fields(rows["packed_position"], (11, 10, 11)), *"xyz")),
        scales=torch.from_numpy(log_scales).clamp(-LARGEST_LOG_SCALE, LARGEST_LOG_SCALE).exp(),
        quats=torch.from_numpy(_rotations(rows["packed_rotation"])),
        opacities=torch.from_numpy(np.ascontiguousarray(color[:, 3])),
        sh=torch.from_numpy(np.concatenate([((rgb - 0.5) / C0)[:, None], higher], axis=1, dtype=np.float32)),
    )


def _has(element: PlyElement, names: tuple[str, ...], kind: str) -> bool:
    return all(name in element.properties and element.dtype[name] == np.dtype(kind) for name in names)


def _fields(packed: UInt32[np.ndarray, " rows"], bits: tuple[int, ...]) -> Float[np.ndarray, "rows fields"]:
    """The unsigned numbers that stand in the bits of each word, the last in the lowest, as 0..1."""
    shifts = [sum(bits[i + 1 :]) for i in range(len(bits))]
    parts = [((packed >> s) & (2**n - 1)) / np.float32(2**n - 1) for s, n in zip(shifts, bits, strict=True)]
    return np.stack(parts, axis=1).astype(np.float32)


def _between(bounds: np.ndarray, t: Float[np.ndarray, "rows 3"], *names: str) -> Float[np.ndarray, "rows 3"]:
    low, high = (np.stack([bounds[f"{end}_{name}"] for name in names], axis=1) for end in ("min", "max"))
    with np.errstate(over="ignore", invalid="ignore"):
        return low * (1 - t) + high * t


def _rotations(packed: UInt32[np.ndarray, " rows"]) -> Float[np.ndarray, "rows 4"]:
    others = (_fields(packed, (2, 10, 10, 10))[:, 1:] - 0.5) * np.float32(np.sqrt(2))
    largest = np.sqrt(np.maximum(0, 1 - (others**2).sum(1, keepdims=True)))
    which = (packed >> 30)[:, None]
    places = np.arange(4)[None]
    shifted = np.where(places < which, places, places - 1).clip(0, 2)
    quats = np.where(places == which, largest, np.take_along_axis(others, shifted, axis=1))
    return (quats / np.linalg.norm(quats, axis=1, keepdims=True)).astype(np.float32)


def _harmonics(codes: np.ndarray) -> Float[np.ndarray, "rows coefficients 3"]:
    """Bytes, channel by channel, to coefficients; 0 and 255 are the ends, others the middle of their 256th."""
    unit = np.where(codes == 0, 0, np.where(codes == 255, 1, (codes + np.float32(0.5)) / 256))
    values = ((unit - 0.5) * SH_RANGE).astype(np.float32)
    return np.ascontiguousarray(values.reshape(len(codes), 3, codes.shape[1] // 3).swapaxes(1, 2))
