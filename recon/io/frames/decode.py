"""Frames of a video file with their times, from a decoder that may open nothing but this one file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.video.stream import VideoStream

from recon.errors import FormatError, LimitError
from recon.io.frames.clock import Clock
from recon.io.frames.sniff import demuxer_of
from recon.io.limits import Limits

# Decoders that are let near foreign bytes: those of phones, cameras and the web.
CODECS = ("h264", "hevc", "mpeg4", "mpeg2video", "mjpeg", "prores", "dnxhd", "vp8", "vp9", "av1", "libdav1d")
CODECS += ("libvpx", "libvpx-vp9")
# Where a file states no rate, and for a rate that cannot be.
DEFAULT_RATE, PLAUSIBLE_RATE = 30.0, (5.0, 1000.0)
MAX_DAMAGED_PACKETS = 1000


@dataclass
class Decoded:
    """What has come out of the decoder so far.

    Attributes:
        aspect: Width of a pixel over its height.
        num_frames: Decoded frames.
        num_damaged: Packets that could not be decoded.
        seconds: Time of the last frame, counted from the first.
    """

    aspect: float = 1.0
    num_frames: int = 0
    num_damaged: int = 0
    seconds: float = 0.0


def decode(path: Path, limits: Limits, state: Decoded) -> Iterator[tuple[int, float, av.VideoFrame]]:
    """Index, seconds since the first frame, and frame, in the order of presentation.

    Times come from the file where they grow, else from its frame rate, so constant, absent and varying rates all give
    growing times.

    Args:
        path: The video.
        limits: Bounds on pixels and frames.
        state: Is kept up to date.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is not a video, its codec is not one of `CODECS`, or no frame can be decoded.
        LimitError: It has too many pixels or frames.
    """
    with opened_video(path) as (container, stream):
        require_codec(path, stream, limits)
        state.aspect = float(stream.sample_aspect_ratio or 1)
        clock = Clock(1 / _rate(stream))
        for frame in _frames(container, stream, state):
            if frame.width * frame.height > limits.max_pixels:
                raise _too_large(path, frame.width, frame.height, limits)
            if state.num_frames >= limits.max_video_frames:
                raise LimitError(
                    f"{path}: more than {limits.max_video_frames:,} frames", hint="cut the video to the part that shows"
                )
            state.seconds = clock.tick(frame.time)
            state.num_frames += 1
            yield state.num_frames - 1, state.seconds, frame
    if state.num_frames == 0:
        raise FormatError(f"{path}: no frame can be decoded", hint="play it, and save it again as H.264 in MP4")


@contextmanager
def opened_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """A container that reaches no other file, and its first video stream.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is not a video.
    """
    demuxer = demuxer_of(path)
    options = {"protocol_whitelist": "none", "codec_whitelist": ",".join(CODECS)}
    try:
        with (
            path.open("rb") as file,
            av.open(file, "r", format=demuxer, container_options=options, io_open=_refuse) as container,
        ):
            if not container.streams.video:
                raise FormatError(f"{path}: holds no video stream")
            yield container, container.streams.video[0]
    except (av.error.FFmpegError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: the video cannot be read ({error})") from error


def _refuse(url: str, *_: object) -> object:
    """Called where a container asks for another file."""
    raise FormatError(f"the video refers to another file, {url[:80]!r}", hint="save it as one file, H.264 in MP4")


def require_codec(path: Path, stream: VideoStream, limits: Limits) -> None:
    """Raise FormatError unless the codec is one of `CODECS`, LimitError where the frames have too many pixels."""
    context = stream.codec_context
    if context is None or context.name not in CODECS:
        found = "unknown" if context is None else repr(context.name)
        raise FormatError(f"{path}: the codec {found} is not read", hint="save it as H.264 in MP4")
    if context.width * context.height > limits.max_pixels:
        raise _too_large(path, context.width, context.height, limits)
    context.options = {"max_pixels": str(limits.max_pixels)}
    stream.thread_type = "AUTO"


def _frames(container: InputContainer, stream: VideoStream, state: Decoded) -> Iterator[av.VideoFrame]:
    """All frames that can be decoded; damaged packets are counted and skipped, a damaged end ends it."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.EOFError):
            return
        except av.error.FFmpegError:
            state.num_damaged += 1
            return
        try:
            yield from packet.decode()
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            state.num_damaged += 1
            if state.num_damaged > MAX_DAMAGED_PACKETS:
                return


def _rate(stream: VideoStream) -> float:
    rate = float(stream.average_rate or stream.guessed_rate or DEFAULT_RATE)
    return rate if PLAUSIBLE_RATE[0] <= rate <= PLAUSIBLE_RATE[1] else DEFAULT_RATE


def _too_large(path: Path, width: int, height: int, limits: Limits) -> LimitError:
    return LimitError(
        f"{path}: frames of {width} x {height} pixels, at most {limits.max_pixels:,} pixels are allowed",
        hint="reduce the video first",
    )
