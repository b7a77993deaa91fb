"""Gaussians as .spz."""

from pathlib import Path

from gaussian_seeds import read_as, seeds_of


def seeds() -> list[bytes]:
    return seeds_of(".spz")


def feed(data: bytes, folder: Path) -> object:
    return read_as(".spz", data, folder)
