"""H.264 video."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.codec.codec import UnknownCodecError
from av.video.reformatter import ColorRange, Colorspace
from jaxtyping import UInt8

from recon.errors import ExportError
from recon.io.atomic import atomic_write

# Visually lossless, at a speed that two cores keep up with.
ENCODER_OPTIONS = {"crf": "18", "preset": "fast"}
# ITU-T H.273 code points: BT.709 primaries and matrix, sRGB transfer.
BT709, SRGB_TRANSFER = 1, 13


def write_mp4(path: Path, frames: Iterable[UInt8[np.ndarray, "height width 3"]], fps: int | float = 30) -> None:
    """Encode sRGB frames as they come; the file appears whole or not at all.

    Sides of odd length are extended by one repeated pixel, because colour is stored at half the resolution.

    Args:
        path: The .mp4 file.
        frames: At least one, all of one size.
        fps: Frames per second.

    Raises:
        ExportError: There is no frame, sizes differ, or the encoder or the disk refuses.
    """
    if not 0 < fps <= 1000:
        raise ExportError(f"{path}: {fps} frames per second, expected more than 0 and at most 1000")
    with atomic_write(path) as temporary:
        try:
            _encode(temporary, frames, Fraction(fps).limit_denominator(1001))
        except (av.error.FFmpegError, UnknownCodecError) as error:
            raise ExportError(f"{path}: the video cannot be encoded ({error})") from error


def _encode(path: Path, frames: Iterable[UInt8[np.ndarray, "height width 3"]], rate: Fraction) -> None:
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = None
        shape = None
        for frame in frames:
            if stream is None:
                shape = frame.shape
                stream = container.add_stream("libx264", rate=rate, options=ENCODER_OPTIONS)
                stream.width, stream.height = _even(shape[1]), _even(shape[0])
                stream.pix_fmt = "yuv420p"
                context = stream.codec_context
                context.colorspace = context.color_primaries = BT709
                context.color_trc = SRGB_TRANSFER
                context.color_range = ColorRange.MPEG
            if frame.shape != shape:
                raise ExportError(f"a video frame of shape {frame.shape} follows frames of shape {shape}")
            container.mux(stream.encode(_yuv(frame)))
        if stream is None:
            raise ExportError("a video needs at least one frame")
        container.mux(stream.encode())


def _yuv(frame: UInt8[np.ndarray, "height width 3"]) -> av.VideoFrame:
    height, width = frame.shape[:2]
    even = np.pad(frame, ((0, _even(height) - height), (0, _even(width) - width), (0, 0)), mode="edge")
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")
    return picture.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)


def _even(side: int) -> int:
    return side + side % 2
