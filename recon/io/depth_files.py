"""Depth maps as files: exact numbers in `.npy`, a picture of each to look at, and a sidecar that says what they are."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from recon.io.atomic import atomic_write
from recon.io.json_file import write_json

CONVENTIONS = (
    "NAME.npy: float32 [height, width], z-depth along the optical axis in world units at pixel centres; 0: no surface. "
    "NAME.png: the same to look at, inverse depth from near (red) to far (blue), black: no surface."
)


def write_depth(
    folder: Path,
    name: str,
    depth: Float[np.ndarray, "height width"],
    picture: UInt8[np.ndarray, "height width 3"],
) -> list[Path]:
    """Write `NAME.npy` and `NAME.png`, each whole or not at all.

    Raises:
        ExportError: A file cannot be written.
    """
    numbers = folder / f"{name}.npy"
    with atomic_write(numbers) as temporary, temporary.open("wb") as file:
        np.save(file, np.ascontiguousarray(depth, dtype="<f4"), allow_pickle=False)
    return [numbers, write_png(folder / f"{name}.png", picture)]


def write_png(path: Path, picture: UInt8[np.ndarray, "height width 3"]) -> Path:
    """Write an sRGB picture.

    Raises:
        ExportError: The file cannot be written.
    """
    with atomic_write(path) as temporary:
        Image.fromarray(np.ascontiguousarray(picture)).save(temporary, format="PNG")
    return path


def write_depth_json(path: Path, names: Sequence[str], *, near: float, far: float, min_alpha: float, unit: str) -> Path:
    """Write what the depth maps in the folder of `path` are.

    Args:
        path: The JSON file.
        names: Of the maps, without suffix.
        near: Depth shown red, world units.
        far: Depth shown blue, world units.
        min_alpha: Pixels covered less than this have no surface.
        unit: Of the world, as in `Scene`.

    Raises:
        ExportError: The file cannot be written.
    """
    content = {
        "conventions": CONVENTIONS,
        "unit": unit,
        "min_alpha": min_alpha,
        "near": near,
        "far": far,
        "maps": list(names),
    }
    write_json(path, content)
    return path
