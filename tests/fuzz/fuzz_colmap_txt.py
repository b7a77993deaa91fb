"""COLMAP models as text: cameras, images and points in one input."""

from pathlib import Path

from colmap_seeds import MARK, read_as, seeds_of

LENSES = (
    "SIMPLE_PINHOLE 8 6 9 4 3",
    "SIMPLE_RADIAL 8 6 9 4 3 0.1",
    "OPENCV 8 6 9 9 4 3 0.1 0 0 0.01",
    "FOV 8 6 9 9 4 3 1",
)


def seeds() -> list[bytes]:
    image = b"# comment\n1 1 0 0 0 0 0 0 1 a.png\n4 3 -1 5 2 7\n2 0.7 0 0.7 0 1 2 3 1 b.png\n\n"
    point = b"7 1 2 3 255 0 10 0.5 1 1\n"
    return [*seeds_of(binary=False), *(MARK.join([f"1 {lens}\n".encode(), image, point]) for lens in LENSES)]


def feed(data: bytes, folder: Path) -> object:
    return read_as(".txt", data, folder)
