"""Gaussians as .splat."""

from pathlib import Path

from gaussian_seeds import read_as, seeds_of


def seeds() -> list[bytes]:
    return seeds_of(".splat")


def feed(data: bytes, folder: Path) -> object:
    return read_as(".splat", data, folder)
