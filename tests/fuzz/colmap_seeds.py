"""COLMAP models as one input: the three files of a model behind each other, with a mark between them."""

import tempfile
from pathlib import Path

import torch
from fuzzing import SMALL
from seed_data import picture, small_cameras

from recon.io.colmap.posed import read_colmap
from recon.io.colmap.write import model_of_cameras, write_model

FILES = ("cameras", "images", "points3D")
MARK = b"--next file--"
NAMES = ("a.png", "b.png")


def seeds_of(*, binary: bool) -> list[bytes]:
    """Models of two images, with and without points."""
    found = []
    for num_points in (0, 3):
        model = model_of_cameras(small_cameras(), NAMES, torch.ones(num_points, 3))
        with tempfile.TemporaryDirectory() as name:
            write_model(Path(name), model, binary=binary)
            parts = [(Path(name) / f"{stem}{'.bin' if binary else '.txt'}").read_bytes() for stem in FILES]
        found.append(MARK.join(parts))
    return found


def read_as(suffix: str, data: bytes, folder: Path) -> object:
    """Give the parts to the reader, beside the photographs that the seeds name."""
    for name in NAMES:
        if not (folder / name).exists():
            picture().save(folder / name)
    for stem, part in zip(FILES, [*data.split(MARK, 2), b"", b""], strict=False):
        (folder / f"{stem}{suffix}").write_bytes(part)
    return read_colmap(folder, limits=SMALL)
