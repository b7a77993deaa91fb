"""Pictures of captures: their headers at once, their pixels when asked for."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from recon.data.captures.checks import BAD_PICTURE, OUTSIDE_PICTURE
from recon.errors import FormatError, InputError, UnusableCaptureError
from recon.io.inside import find_inside
from recon.io.limits import Limits
from recon.io.photographs.headers import PictureHeader, read_header
from recon.io.photographs.images import decode_photograph
from recon.types import Photograph

# Pictures of data sets keep the size of their file: cameras are in its pixels.
PICTURE_LIMITS = Limits(max_photographs=100_000, max_long_side=1 << 16)
JPEG_MAGIC = b"\xff\xd8\xff"


def find_picture(where: str, folder: Path, name: str, suffixes: Sequence[str] = ("",)) -> Path | None:
    """The picture that a file of the capture names, None if there is none; args as `find_inside`.

    Raises:
        UnusableCaptureError: It lies outside the folder, also by way of a link, or no system could open it.
    """
    try:
        return find_inside(where, folder, name, suffixes)
    except InputError as error:
        raise UnusableCaptureError(
            OUTSIDE_PICTURE,
            error.message,
            hint="pictures must lie in the folder of their capture, which may itself be a link; links in it that lead "
            "out are not followed",
        ) from error


class ArrayFile(io.RawIOBase):
    """Bytes of an array as a file, of which only what is read is touched.

    Args:
        data: May lie in a file that is mapped into memory.
    """

    def __init__(self, data: UInt8[np.ndarray, " bytes"]):
        super().__init__()
        self._data = data
        self._position = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position; see `io.IOBase.seek`."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self._data)}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Fill as much of the buffer as there are bytes left; returns their number."""
        part = self._data[self._position : self._position + len(buffer)]
        buffer[: len(part)] = part.data
        self._position += len(part)
        return len(part)


def header_of(data: UInt8[np.ndarray, " bytes"], where: Path) -> PictureHeader:
    """Size and orientation of an encoded picture, of which no more than the beginning is touched.

    Args:
        data: The file.
        where: Names it in messages.

    Raises:
        UnusableCaptureError: It is no picture of a kind that is read, or too large.
    """
    try:
        return read_header(io.BufferedReader(ArrayFile(data), 4096), where, limits=PICTURE_LIMITS)
    except InputError as error:
        raise UnusableCaptureError(BAD_PICTURE, error.message, hint=error.hint) from error


def header_of_file(path: Path) -> PictureHeader:
    """As `header_of`, of a file of which no more than the beginning is read."""
    try:
        with path.open("rb") as file:
            return read_header(file, path, limits=PICTURE_LIMITS)
    except InputError as error:
        raise UnusableCaptureError(BAD_PICTURE, error.message, hint=error.hint) from error
    except OSError as error:
        raise UnusableCaptureError(BAD_PICTURE, f"{path}: the picture cannot be read ({error})") from error


def decode(data: bytes, where: Path, header: PictureHeader) -> Photograph:
    """The picture, upright and in sRGB.

    Args:
        data: The file.
        where: Names it in messages.
        header: What cameras were made for.

    Raises:
        FormatError: It is damaged, or its header is not the one that cameras were made for.
        LimitError: It has too many pixels.
    """
    photograph = decode_photograph(io.BytesIO(data), where, limits=PICTURE_LIMITS)
    if (photograph.original_size, photograph.orientation) != (header.original_size, header.orientation):
        raise FormatError(
            f"{where}: decodes to {photograph.size[0]} x {photograph.size[1]} pixels with EXIF orientation "
            f"{photograph.orientation}, its beginning says {header.size[0]} x {header.size[1]}, {header.orientation}",
            hint="save it again, upright",
        )
    return photograph


def decode_pixels(data: bytes, where: Path, header: PictureHeader) -> UInt8[np.ndarray, "height width 3"]:
    """As `decode`, the pixels alone."""
    return decode(data, where, header).pixels


def read_picture(path: Path) -> bytes:
    """The bytes of a picture file.

    Raises:
        FormatError: It cannot be read, or is larger than a picture may be.
    """
    try:
        with path.open("rb") as file:
            data = file.read(PICTURE_LIMITS.max_file_bytes + 1)
    except OSError as error:
        raise FormatError(f"{path}: the picture cannot be read ({error})") from error
    if len(data) > PICTURE_LIMITS.max_file_bytes:
        raise FormatError(f"{path}: more than {PICTURE_LIMITS.max_file_bytes:,} bytes, expected a picture")
    return data
