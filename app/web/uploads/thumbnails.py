"""Thumbnails of photographs that browsers do not show; made by the process that looks at uploads."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

UNSEEN = (".heic", ".heif", ".tif", ".tiff")
ENDING = ".thumbnail.jpg"
LONG_SIDE = 256
"""Pixels."""


def thumbnail_of(upload: Path) -> Path:
    """Where the thumbnail of an upload lies, if there is one: beside it, under a name that no other upload has."""
    return upload.with_name(upload.name + ENDING)


def write_thumbnail(target: Path, pixels: UInt8[np.ndarray, "height width 3"]) -> None:
    """Write a small JPEG of sRGB pixels.

    Raises:
        ExportError: The disk does not take it.
    """
    from PIL import Image

    from recon.io.atomic import atomic_write

    picture = Image.fromarray(pixels)
    picture.thumbnail((LONG_SIDE, LONG_SIDE))
    with atomic_write(target) as temporary:
        picture.save(temporary, format="JPEG", quality=85)
