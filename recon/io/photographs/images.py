"""Photographs from files: upright 8-bit sRGB, of bounded size."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from recon.errors import InputError, LimitError
from recon.io.limits import DEFAULT_LIMITS, Limits
from recon.io.names import unique_names
from recon.io.photographs.color import to_srgb
from recon.io.photographs.exif import camera_tags, orientation, read_exif
from recon.io.photographs.headers import TURNS_ASIDE, ImageFile, bounded, formats, typed_errors
from recon.io.photographs.image_folder import list_images, require_count, spread
from recon.types import Photograph

# EXIF orientation -> what makes the stored picture upright (Exif 2.32, tag 0112).
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def load_photographs(
    source: Path | Sequence[Path], *, limits: Limits = DEFAULT_LIMITS, max_views: int | None = None
) -> list[Photograph]:
    """Photographs of a folder (in natural order of their names), one file, or several files (in the given order).

    Args:
        source: A folder, whose subfolders are not entered, an image file, or image files.
        limits: Bounds on number and size.
        max_views: Keep at most this many, evenly spread over the order; None for all.

    Raises:
        InputError: There is no image, or `max_views` is not positive.
        LimitError: There are more photographs than allowed, or one is too large.
        FormatError: A file is not a readable image; the message names it.
    """
    if not isinstance(source, Path):
        paths = list(source)
    elif source.is_dir():
        paths = list_images(source)
    else:
        paths = [source]
    if not paths:
        raise InputError("no photographs were given", hint="name a folder or one or more image files")
    paths = [paths[i] for i in spread(len(paths), max_views)]
    require_count(len(paths), limits)
    names = unique_names(path.name for path in paths)
    return [replace(load_photograph(p, limits=limits), name=n) for p, n in zip(paths, names, strict=True)]


def load_photograph(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Photograph:
    """One photograph: upright, sRGB, reduced to `limits.max_long_side`.

    Raises:
        InputError: The file is missing or cannot be opened.
        FormatError: It is not a readable image.
        LimitError: It is larger than `limits`; found before its pixels are decoded.
        ResourceError: It is HEIC and the optional reader is not installed.
    """
    with _opened(path, limits) as file:
        return decode_photograph(file, path, limits=limits)


def decode_photograph(file: ImageFile, path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Photograph:
    """As `load_photograph`, from an open file; its number of bytes is the caller's to bound.

    Args:
        file: Holds the bytes of an image file.
        path: Names it, in messages and in the result; nothing need be there.
        limits: Bounds on pixels.

    Raises:
        FormatError, LimitError, ResourceError: As `load_photograph`.
    """
    with typed_errors(path, limits):
        decoded = _decode(file, path, limits)
    stored = _reduce(decoded.image, decoded.box, _bounded_size(decoded.size, limits.max_long_side))
    turn = orientation(decoded.tags)
    upright = stored.transpose(UPRIGHT[turn]) if turn in UPRIGHT else stored
    width, height = decoded.size
    original_size = (height, width) if turn in TURNS_ASIDE else (width, height)
    camera = camera_tags(decoded.tags, original_size)
    scale = max(upright.size) / max(original_size)
    return Photograph(
        name=path.name,
        pixels=np.array(upright),
        original_size=original_size,
        focal_px=None if camera.focal_px is None else camera.focal_px * scale,
        camera_id=camera.camera_id,
        orientation=turn,
    )


@dataclass(frozen=True)
class _Decoded:
    """Pixels as the decoder gave them.

    Attributes:
        image: Mode RGB, sRGB, not yet upright; a JPEG decoder may have reduced it.
        box: The part of `image` that the photograph fills.
        size: Width and height in the file.
        tags: EXIF.
    """

    image: Image.Image
    box: tuple[float, float, float, float]
    size: tuple[int, int]
    tags: dict[int, object]


@contextmanager
def _opened(path: Path, limits: Limits) -> Iterator[ImageFile]:
    try:
        if not path.is_file():
            raise InputError(f"{path}: {'not a file' if path.exists() else 'no such file'}")
        file = path.open("rb")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the file cannot be opened ({error})") from error
    with file:
        num_bytes = path.stat().st_size
        if num_bytes > limits.max_file_bytes:
            raise LimitError(f"{path}: {num_bytes:,} bytes, at most {limits.max_file_bytes:,} are allowed")
        yield file


def _decode(file: ImageFile, path: Path, limits: Limits) -> _Decoded:
    with Image.open(file, formats=formats(path)) as image:
        width, height = bounded(image, path, limits)
        box = _draft(image, limits.max_long_side)
        image.load()
        # EXIF only now: PNG may carry it behind the pixels; TIFF and HEIC turn the picture in load() and drop the tag.
        return _Decoded(to_srgb(image), box, (width, height), read_exif(image))


def _bounded_size(size: tuple[int, int], max_long_side: int) -> tuple[int, int]:
    scale = min(1.0, max_long_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _draft(image: Image.Image, max_long_side: int) -> tuple[float, float, float, float]:
    """Let the JPEG decoder reduce by 2, 4 or 8 where that is enough; the box that holds the picture afterwards.

    The decoder rounds its size up, so the box may end inside the last column or row.
    """
    drafted = image.draft(None, _bounded_size(image.size, max_long_side))
    _, _, right, lower = drafted[1] if drafted else (0, 0, *image.size)
    return 0.0, 0.0, float(right), float(lower)


def _reduce(image: Image.Image, box: tuple[float, float, float, float], size: tuple[int, int]) -> Image.Image:
    # Pillow widens the kernel when it reduces, so LANCZOS does not alias.
    return image.resize(size, Image.Resampling.LANCZOS, box=box)
