"""Frames of captures as files."""

import io

from PIL import Image

from recon.data.captures.capture import Capture
from recon.data.captures.pictures import JPEG_MAGIC

JPEG_QUALITY = 95


def jpeg_of(capture: Capture, index: int) -> bytes:
    """The file of a frame where that is a JPEG, untouched; else its picture as JPEG of quality 95, 4:4:4.

    Raises:
        FormatError: The frame is damaged.
    """
    if capture.encoded is not None:
        data = capture.encoded(index)
        if data.startswith(JPEG_MAGIC):
            return data
    stream = io.BytesIO()
    Image.fromarray(capture.picture(index)).save(stream, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return stream.getvalue()
