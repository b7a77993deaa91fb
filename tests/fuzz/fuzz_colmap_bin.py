"""Binary COLMAP models: cameras, images and points in one input."""

from pathlib import Path

from colmap_seeds import read_as, seeds_of


def seeds() -> list[bytes]:
    return seeds_of(binary=True)


def feed(data: bytes, folder: Path) -> object:
    return read_as(".bin", data, folder)
