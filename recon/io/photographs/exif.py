"""What a camera wrote about itself: focal length and identity. Junk values count as absent."""

import logging
import math
from dataclasses import dataclass

from PIL import ExifTags, Image

logger = logging.getLogger(__name__)

DIAGONAL_35MM = math.hypot(36.0, 24.0)
# Millimetres in one FocalPlaneResolutionUnit (Exif 2.32, tag A210); inches where it is absent.
MILLIMETRES_PER_UNIT = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
# Outside these, in long sides of the image, a focal length is taken for junk (fields of view of 157 and 3 degrees).
PLAUSIBLE_FOCAL = (0.1, 20.0)


@dataclass(frozen=True)
class CameraTags:
    """The part of EXIF that reconstruction uses.

    Attributes:
        focal_px: Focal length in pixels of the image in the file, or None.
        camera_id: Make, model, focal length and size; without EXIF the size alone.
    """

    focal_px: float | None
    camera_id: str


def read_exif(image: Image.Image) -> dict[int, object]:
    """Tags of the main and the Exif directory in one dict; empty where they cannot be parsed."""
    try:
        exif = image.getexif()
        return {**exif.get_ifd(ExifTags.IFD.Exif), **exif}
    except Exception as error:  # Pillow's TIFF parser raises many types on damaged EXIF; the pixels are still good
        logger.warning("EXIF of %s cannot be read (%s) and is left out", getattr(image, "filename", "?"), error)
        return {}


def orientation(tags: dict[int, object]) -> int:
    """The EXIF orientation 1..8; 1 where it is absent or junk."""
    value = _positive(tags.get(ExifTags.Base.Orientation))
    return int(value) if value is not None and value in range(1, 9) else 1


def camera_tags(tags: dict[int, object], size: tuple[int, int]) -> CameraTags:
    """Focal length and identity of the camera, for an upright image of the given width and height in its file."""
    focal_px = _focal_from_35mm(tags, size) or _focal_from_sensor(tags, size)
    if focal_px is not None and not PLAUSIBLE_FOCAL[0] < focal_px / max(size) < PLAUSIBLE_FOCAL[1]:
        focal_px = None
    focal_mm = _positive(tags.get(ExifTags.Base.FocalLength))
    parts = [
        _text(tags.get(ExifTags.Base.Make)),
        _text(tags.get(ExifTags.Base.Model)),
        f"{focal_mm:g}mm" if focal_mm else "",
        f"{size[0]}x{size[1]}",
    ]
    return CameraTags(focal_px, " ".join(part for part in parts if part))


def _focal_from_35mm(tags: dict[int, object], size: tuple[int, int]) -> float | None:
    """FocalLengthIn35mmFilm compares the diagonals of the two pictures (CIPA DCG-001)."""
    focal = _positive(tags.get(ExifTags.Base.FocalLengthIn35mmFilm))
    return focal * math.hypot(*size) / DIAGONAL_35MM if focal else None


def _focal_from_sensor(tags: dict[int, object], size: tuple[int, int]) -> float | None:
    """FocalLength times pixels per millimetre on the sensor, carried over to the size that the file has now."""
    focal = _positive(tags.get(ExifTags.Base.FocalLength))
    resolution = _positive(tags.get(ExifTags.Base.FocalPlaneXResolution))
    unit = MILLIMETRES_PER_UNIT.get(int(_positive(tags.get(ExifTags.Base.FocalPlaneResolutionUnit)) or 2))
    if not (focal and resolution and unit):
        return None
    sides = [_positive(tags.get(tag)) for tag in (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)]
    long_side_at_capture = max((side for side in sides if side), default=max(size))
    return focal * resolution / unit * max(size) / long_side_at_capture


def _positive(value: object) -> float | None:
    """The value as a finite number above zero, else None."""
    try:
        number = float(value)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _text(value: object) -> str:
    """Printable text of a string tag, at most 40 characters."""
    text = value if isinstance(value, str) else ""
    return "".join(c if c.isprintable() else " " for c in text).strip()[:40]
