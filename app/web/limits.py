"""How much the page takes on; what an input may be is said by the same `Limits` that the command line has."""

from dataclasses import dataclass

from recon.errors import InputError
from recon.io.limits import GIBIBYTE, MEBIBYTE, Limits

MAX_WORKERS, MAX_WAITING, MAX_SECONDS = 64, 10_000, 366 * 24 * 3600.0
"""A whole year; timers of the system take no endless time."""

MIN_FREE_BYTES = 256 * MEBIBYTE
"""Free on the disk beside uploads, for results; no upload is taken and no job is begun that leaves less."""

PAGE_INPUT = Limits(
    max_photographs=200,
    max_file_bytes=64 * MEBIBYTE,
    max_archive_bytes=2 * GIBIBYTE,
    max_archive_members=1000,
    max_video_bytes=GIBIBYTE,
    max_video_frames=20_000,
    max_video_seconds=180.0,
    max_video_memory_bytes=4 * GIBIBYTE,
)
"""Of one job; tighter than on the command line, where people spend their own machine."""


@dataclass(frozen=True)
class WebLimits:
    """Bounds of the server.

    Attributes:
        input: Files, pixels, video frames and archives of one job.
        max_upload_bytes: All files of one job together.
        max_job_seconds: Wall time of one job, from its start.
        max_check_seconds: Wall time for looking at uploads before a job.
        max_filter_seconds: Wall time for writing the files of a finished job again.
        num_workers: Jobs that run at the same time.
        max_waiting: Jobs that wait; a further one is refused.
        time_to_live_seconds: How long a finished job is kept after it was last asked for.

    Raises:
        InputError: A number with which no job could run, or none would ever end.
    """

    input: Limits = PAGE_INPUT
    max_upload_bytes: int = 2 * GIBIBYTE
    max_job_seconds: float = 3600.0
    max_check_seconds: float = 60.0
    max_filter_seconds: float = 120.0
    num_workers: int = 1
    max_waiting: int = 16
    time_to_live_seconds: float = 3600.0

    def __post_init__(self) -> None:
        _require("jobs at the same time", self.num_workers, 1, MAX_WORKERS)
        _require("jobs that may wait", self.max_waiting, 0, MAX_WAITING)
        _require("bytes of all uploads", self.max_upload_bytes, 1)
        _require_seconds("a job may take", self.max_job_seconds)
        _require_seconds("looking at uploads may take", self.max_check_seconds)
        _require_seconds("writing files again may take", self.max_filter_seconds)
        _require_seconds("results are kept for", self.time_to_live_seconds)


def _require(words: str, value: int, least: int, most: int | None = None) -> None:
    if type(value) is not int or value < least or (most is not None and value > most):
        expected = f"{least} to {most:,}" if most is not None else f"at least {least}"
        raise InputError(f"{words}: {value!r}, expected {expected}", hint="`recon app --help` tells what can be set")


def _require_seconds(words: str, value: float) -> None:
    if type(value) not in (int, float) or not 0 < value <= MAX_SECONDS:
        raise InputError(
            f"{words} {value!r} s, expected more than 0 s and at most a year",
            hint="`recon app --help` tells what can be set",
        )


DEFAULT_WEB_LIMITS = WebLimits()
