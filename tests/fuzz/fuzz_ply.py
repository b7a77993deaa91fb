"""Gaussians as PLY."""

from pathlib import Path

from fuzzing import SMALL
from seed_data import small_gaussians, written

from recon.io.ply import read_ply, write_ply


def seeds() -> list[bytes]:
    kinds = ((2, 1), (3, 4), (1, 16))
    return [written(lambda path, kind=kind: write_ply(path, small_gaussians(*kind)), "x.ply") for kind in kinds]


def feed(data: bytes, folder: Path) -> object:
    path = folder / "x.ply"
    path.write_bytes(data)
    return read_ply(path, limits=SMALL)
