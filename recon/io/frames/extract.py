"""Photographs out of a video, through a process that can be stopped and may break without harm."""

import logging
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from recon.errors import FormatError, InputError, LimitError, ReconError, ResourceError
from recon.io.frames.request import Answer, Request
from recon.io.frames.sniff import demuxer_of
from recon.io.frames.windows import DEFAULT_NUM, SHORTEST_WINDOW
from recon.io.limits import DEFAULT_LIMITS, Limits
from recon.io.photographs.images import load_photograph
from recon.types import Photograph

logger = logging.getLogger(__name__)

# While decoding, the windows are kept so many times finer than in the end.
OVERSAMPLING = 3
FASTEST = 1000.0


@dataclass(frozen=True)
class VideoFrames:
    """Photographs from one video.

    Attributes:
        photographs: In order of time; they share a camera.
        seconds: Time from the first to the last frame of the video.
        num_frames: Frames that the video has.
        num_damaged: Pieces of it that could not be decoded.
        window: Each photograph is the sharpest frame of so many seconds.
        times: Seconds since the first frame, of each photograph.
    """

    photographs: list[Photograph]
    seconds: float
    num_frames: int
    num_damaged: int
    window: float
    times: tuple[float, ...]

    @property
    def words(self) -> str:
        """All that in words."""
        damaged = f", {self.num_damaged} damaged pieces left out" if self.num_damaged else ""
        return (
            f"{self.seconds:.1f} s, {len(self.photographs)} of {self.num_frames} frames taken, "
            f"the sharpest of each {self.window:.2f} s{damaged}"
        )


def load_video(
    path: Path, *, fps: float | int | None = None, max_views: int | None = None, limits: Limits = DEFAULT_LIMITS
) -> VideoFrames:
    """The sharpest frame of each stretch of time.

    Args:
        path: MP4, QuickTime, Matroska, WebM or AVI, whatever its name.
        fps: Stretches per second; by default about 40 in the whole video and at most four per second.
        max_views: At most this many frames; the stretches are made longer where needed.
        limits: Bounds on bytes, pixels, frames, memory and wall time.

    Raises:
        InputError: The file cannot be read, or an option has no meaning.
        FormatError: It is not a video that is read, whatever its name says.
        LimitError: It goes beyond a bound.
    """
    if fps is not None and not 0 < fps <= FASTEST:
        raise InputError(f"{fps:g} frames per second, expected more than 0 and at most {FASTEST:g}")
    if max_views is not None and max_views < 1:
        raise InputError(f"the number of views is {max_views}, expected at least 1")
    demuxer_of(path)
    num_bytes = path.stat().st_size
    if num_bytes > limits.max_video_bytes:
        raise LimitError(f"{path}: {num_bytes:,} bytes, at most {limits.max_video_bytes:,} are allowed")
    num = max_views if max_views is not None else (DEFAULT_NUM if fps is None else None)
    num = None if num is None else min(num, limits.max_photographs)
    capacity = limits.max_photographs if num is None else OVERSAMPLING * num
    window = SHORTEST_WINDOW if fps is None else 1 / fps
    with tempfile.TemporaryDirectory(prefix="recon-video-") as folder:
        request = Request(str(path.resolve()), folder, window, capacity, num, limits, os.getpid())
        answer = _ask(path, request)
        photographs = _load(path, Path(folder), answer, limits)
    return VideoFrames(
        photographs=photographs,
        seconds=answer.seconds,
        num_frames=answer.num_frames,
        num_damaged=answer.num_damaged,
        window=answer.window,
        times=tuple(frame.seconds for frame in answer.frames),
    )


def _load(path: Path, folder: Path, answer: Answer, limits: Limits) -> list[Photograph]:
    photographs = []
    for frame in answer.frames:
        photograph = load_photograph(folder / frame.file_name, limits=limits)
        camera_id = f"video {path.name} {frame.size[0]}x{frame.size[1]}"
        photographs.append(replace(photograph, original_size=frame.size, camera_id=camera_id))
    return photographs


def _ask(path: Path, request: Request) -> Answer:
    """Run the worker; whatever ends this function ends the worker too."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "recon.io.frames.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # a Ctrl-C in the terminal reaches this process alone, which then ends the worker
        encoding="utf-8",
    ) as process:
        try:
            out, err = process.communicate(request.to_json(), timeout=request.limits.max_video_seconds)
        except subprocess.TimeoutExpired as error:
            raise LimitError(
                f"{path}: decoding took longer than {request.limits.max_video_seconds:g} s",
                hint="cut the video to the part that shows, or reduce it",
            ) from error
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0:
        logger.debug("decoding %s: %s", path, err)
        raise FormatError(
            f"{path}: the decoder broke down (exit {process.returncode})",
            hint="play the video, and save it again as H.264 in MP4",
        )
    answer = Answer.from_json(out)
    if answer.error:
        raise _typed(answer.error)
    return answer


def _typed(error: dict[str, str]) -> ReconError:
    kinds: dict[str, type[ReconError]] = {
        kind.__name__: kind for kind in (InputError, FormatError, LimitError, ResourceError)
    }
    return kinds.get(error["kind"], FormatError)(error["message"], hint=error["hint"])
