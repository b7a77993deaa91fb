"""Gaussians as .ply."""

from pathlib import Path

from gaussian_seeds import read_as, seeds_of


def seeds() -> list[bytes]:
    return seeds_of(".ply")


def feed(data: bytes, folder: Path) -> object:
    return read_as(".ply", data, folder)
