"""What the beginning of an image file says, and the errors that every reader of images raises."""

import importlib.util
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from recon.errors import FormatError, LimitError, ReconError, ResourceError
from recon.io.limits import DEFAULT_LIMITS, Limits
from recon.io.photographs.exif import orientation, read_exif
from recon.io.photographs.image_folder import HEIF_SUFFIXES

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
TURNS_ASIDE = (5, 6, 7, 8)
"""EXIF orientations of pictures whose width and height change places."""

ImageFile = io.BufferedReader | io.BytesIO


@dataclass(frozen=True)
class PictureHeader:
    """What the beginning of an image file says, before anything is decoded.

    Attributes:
        original_size: Width and height of the upright picture.
        orientation: EXIF orientation 1..8 of the picture in its file.
    """

    original_size: tuple[int, int]
    orientation: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """Width and height that the decoded picture has, where no limit reduces it."""
        return self.original_size

    @property
    def stored_size(self) -> tuple[int, int]:
        """Width and height of the picture in its file, before it is turned upright."""
        width, height = self.original_size
        return (height, width) if self.orientation in TURNS_ASIDE else (width, height)


def read_header(file: ImageFile, path: Path, *, limits: Limits = DEFAULT_LIMITS) -> PictureHeader:
    """Size and orientation of a picture; an EXIF block that a PNG carries behind its pixels is not seen.

    Args:
        file: Holds the bytes of an image file.
        path: Names it in messages; nothing need be there.
        limits: Bounds on pixels.

    Raises:
        FormatError, LimitError, ResourceError: As `load_photograph`.
    """
    with typed_errors(path, limits), Image.open(file, formats=formats(path)) as image:
        width, height = bounded(image, path, limits)
        turn = orientation(read_exif(image)) if "exif" in image.info else 1
    return PictureHeader((height, width) if turn in TURNS_ASIDE else (width, height), turn)


@contextmanager
def typed_errors(path: Path, limits: Limits) -> Iterator[None]:
    """Turn what image decoders raise into errors that name the file."""
    try:
        yield
    except (ReconError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(path, str(error), limits) from error
    except UnidentifiedImageError as error:
        raise FormatError(
            f"{path}: not an image of a kind that is read, whatever its name says",
            hint="open it in an image viewer and save it again, or take it out of the folder",
        ) from error
    except Exception as error:  # decoders raise many types on damaged files; all of them mean the same
        raise FormatError(
            f"{path}: not a readable image ({error})", hint="open it in an image viewer and save it again"
        ) from error


def bounded(image: Image.Image, path: Path, limits: Limits) -> tuple[int, int]:
    """Width and height in the file, if they are allowed."""
    width, height = image.size
    if width * height > limits.max_pixels:
        raise _too_many_pixels(path, f"{width} x {height} pixels", limits)
    return width, height


def formats(path: Path) -> tuple[str, ...]:
    """What Pillow may take a file for: HEIC only by its name, since its reader is optional.

    Raises:
        ResourceError: It is HEIC and the reader is not installed.
    """
    if not path.name.lower().endswith(HEIF_SUFFIXES):
        return FORMATS
    if importlib.util.find_spec("pillow_heif") is None:
        raise ResourceError(
            f"{path}: HEIC needs an optional reader", hint="pip install pillow-heif, or save it as JPEG"
        )
    import pillow_heif  # pyright: ignore[reportMissingImports]

    pillow_heif.register_heif_opener()
    return ("HEIF", *FORMATS)


def _too_many_pixels(path: Path, found: str, limits: Limits) -> LimitError:
    return LimitError(
        f"{path}: {found}, at most {limits.max_pixels:,} pixels are allowed", hint="reduce the photograph first"
    )
