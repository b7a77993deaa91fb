"""Gaussians as compressed .ply, with and without higher harmonics."""

from pathlib import Path

import numpy as np
from gaussian_seeds import read_as

from recon.io.splats.ply_compressed import BOUNDS, COLOR_BOUNDS, PACKED


def compressed(num: int, num_rest: int, *, color_bounds: bool = True) -> bytes:
    """A file of random packed rows."""
    dice = np.random.default_rng(num)
    bounds = BOUNDS + (COLOR_BOUNDS if color_bounds else ())
    elements = [("chunk", 1, "float", bounds), ("vertex", num, "uint", PACKED)]
    if num_rest:
        elements.append(("sh", num, "uchar", tuple(f"f_rest_{i}" for i in range(num_rest))))
    lines = ["ply", "format binary_little_endian 1.0"]
    for name, rows, kind, properties in elements:
        lines += [f"element {name} {rows}", *(f"property {kind} {p}" for p in properties)]
    chunk = np.array([float(name.startswith("max")) for name in bounds], "<f4")
    vertex = dice.integers(0, 2**32, (num, len(PACKED)), np.uint32).astype("<u4")
    sh = dice.integers(0, 256, (num, num_rest), np.uint8)
    return "\n".join([*lines, "end_header", ""]).encode() + chunk.tobytes() + vertex.tobytes() + sh.tobytes()


def seeds() -> list[bytes]:
    return [compressed(3, 0), compressed(2, 9), compressed(1, 45, color_bounds=False)]


def feed(data: bytes, folder: Path) -> object:
    return read_as(".ply", data, folder)
