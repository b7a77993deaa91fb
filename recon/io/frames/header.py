"""What the beginning of a video says, before a frame is decoded."""

import math
from dataclasses import dataclass
from pathlib import Path

from recon.errors import FormatError
from recon.io.frames.decode import opened_video, require_codec
from recon.io.limits import DEFAULT_LIMITS, Limits

MICROSECONDS = 1e6
LONGEST_SECONDS = 366 * 24 * 3600.0


@dataclass(frozen=True)
class VideoHeader:
    """What a video claims to be.

    Attributes:
        size: Width and height of its frames as they are stored, pixels.
        seconds: How long it is; None where it does not say, or says what cannot be.
    """

    size: tuple[int, int]
    seconds: float | None


def read_video_header(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> VideoHeader:
    """Size and length of a video.

    Args:
        path: MP4, QuickTime, Matroska, WebM or AVI, whatever its name.
        limits: Bounds on pixels.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is not a video that is read.
        LimitError: Its frames are too large.
    """
    with opened_video(path) as (container, stream):
        require_codec(path, stream, limits)
        context = stream.codec_context
        if context.width < 1 or context.height < 1:
            raise FormatError(f"{path}: frames of {context.width} x {context.height} pixels")
        seconds = None if container.duration is None else container.duration / MICROSECONDS
        if seconds is not None and not (math.isfinite(seconds) and 0 < seconds <= LONGEST_SECONDS):
            seconds = None
        return VideoHeader((context.width, context.height), seconds)
