"""The process that decodes a foreign video: bounded in memory, without files but one, ended with its parent."""

import os
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import av
import av.logging
import cv2
import numpy as np

from recon.errors import LimitError, ReconError, ResourceError
from recon.io.frames.decode import Decoded, decode
from recon.io.frames.picture import sharpness, upright_pixels, upright_size
from recon.io.frames.request import Answer, Request, TakenFrame
from recon.io.frames.windows import Candidate, SharpestFrames

# Hardly a loss beside that of the video, and many times faster than a lossless file.
JPEG = [cv2.IMWRITE_JPEG_QUALITY, 97, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]


@dataclass
class _Picture:
    """A frame and the way to show it; `size` is known once it is stored, and the frame let go."""

    frame: av.VideoFrame | None
    size: tuple[int, int] = (0, 0)


def main() -> None:
    """Answer the request on standard input."""
    request = Request.from_json(sys.stdin.read())
    av.logging.set_level(None)  # pyright: ignore[reportPrivateImportUsage]
    cv2.setNumThreads(1)
    _limit_resources(request.limits.max_video_memory_bytes)
    try:
        answer = take_frames(request, keep_on=lambda: os.getppid() == request.parent)
    except ReconError as error:
        answer = Answer(error={"kind": type(error).__name__, "message": error.message, "hint": error.hint})
    except MemoryError:
        allowed = request.limits.max_video_memory_bytes
        message = f"{request.video}: decoding takes more than {allowed:,} bytes of memory"
        answer = Answer(error={"kind": LimitError.__name__, "message": message, "hint": "reduce the video first"})
    sys.stdout.write(answer.to_json())


def take_frames(request: Request, keep_on: Callable[[], bool] = lambda: True) -> Answer:
    """Write the sharpest frame of each stretch of time as JPEG.

    Args:
        request: Which, from where, to where.
        keep_on: Asked before each frame; on False decoding ends.

    Raises:
        InputError: The video cannot be read, or goes beyond the limits.
        ResourceError: A picture cannot be written.
    """
    state = Decoded()
    folder, video = Path(request.folder), Path(request.video)

    def path_of(taken: Candidate[_Picture]) -> Path:
        return folder / TakenFrame(taken.index, taken.seconds, (0, 0)).file_name

    def store(taken: Candidate[_Picture]) -> None:
        frame = taken.picture.frame
        if frame is None:
            return
        taken.picture.size = upright_size(frame, state.aspect)
        _write(path_of(taken), upright_pixels(frame, state.aspect, request.limits.max_long_side))
        taken.picture.frame = None

    chosen = SharpestFrames[_Picture](
        request.window,
        request.capacity,
        join=request.num is not None,
        store=store,
        drop=lambda taken: path_of(taken).unlink(),
    )
    for index, seconds, frame in decode(video, request.limits, state):
        if not keep_on():
            break
        chosen.offer(Candidate(index, seconds, sharpness(frame), _Picture(frame)))
    kept = chosen.finish(request.num)
    return Answer(
        frames=tuple(TakenFrame(taken.index, taken.seconds, taken.picture.size) for taken in kept),
        num_frames=state.num_frames,
        num_damaged=state.num_damaged,
        seconds=state.seconds,
        window=chosen.window,
    )


def _write(path: Path, pixels: np.ndarray) -> None:
    if not cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), JPEG):
        raise ResourceError(f"{path}: a frame of the video cannot be written")


def _limit_resources(max_memory_bytes: int) -> None:
    """Bound address space, and forbid core dumps. Systems that know no such bound go without."""
    for kind, bound in ((resource.RLIMIT_AS, max_memory_bytes), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (bound, bound))


if __name__ == "__main__":
    main()
