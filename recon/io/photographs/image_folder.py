"""Which files of a folder are photographs, and which of them to take."""

from pathlib import Path

import numpy as np

from recon.errors import InputError, LimitError
from recon.io.limits import Limits
from recon.io.names import natural_key

HEIF_SUFFIXES = (".heic", ".heif")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", *HEIF_SUFFIXES)


def list_images(folder: Path) -> list[Path]:
    """The image files of a folder by suffix, in natural order; hidden files are left out.

    Raises:
        InputError: There is none.
    """
    try:
        entries = [p for p in folder.iterdir() if not p.name.startswith(".")]
    except OSError as error:
        raise InputError(f"{folder}: the folder cannot be read ({error.strerror})") from error
    images = sorted((p for p in entries if is_image_name(p.name) and p.is_file()), key=lambda p: natural_key(p.name))
    if not images:
        inner = folder / "images"
        hint = f"did you mean {inner}?" if inner.is_dir() else f"images end in {' '.join(IMAGE_SUFFIXES)}"
        raise InputError(f"{folder}: no image among {len(entries)} entries", hint=hint)
    return images


def is_image_name(name: str) -> bool:
    """Whether the suffix is one of an image."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def spread(num: int, max_views: int | None) -> list[int]:
    """Indices of at most `max_views` of `num` things, evenly spread from the first to the last.

    Raises:
        InputError: `max_views` is not positive.
    """
    if max_views is not None and max_views < 1:
        raise InputError(f"the number of views is {max_views}, expected at least 1")
    if max_views is None or num <= max_views:
        return list(range(num))
    return np.linspace(0, num - 1, max_views).round().astype(int).tolist()


def require_count(num: int, limits: Limits) -> None:
    """Raise LimitError if `num` photographs are too many."""
    if num > limits.max_photographs:
        raise LimitError(
            f"{num} photographs, at most {limits.max_photographs} are allowed",
            hint="limit the number of views; they are then chosen evenly",
        )
