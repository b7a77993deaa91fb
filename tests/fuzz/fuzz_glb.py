"""Gaussians as .glb."""

from pathlib import Path

from gaussian_seeds import read_as, seeds_of


def seeds() -> list[bytes]:
    return seeds_of(".glb")


def feed(data: bytes, folder: Path) -> object:
    return read_as(".glb", data, folder)
