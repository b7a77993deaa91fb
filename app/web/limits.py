"""How much the page takes on; what an input may be is said by the same `Limits` that the command line has."""

from dataclasses import dataclass

from recon.io.limits import GIBIBYTE, MEBIBYTE, Limits

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
        num_workers: Jobs that run at the same time.
        max_waiting: Jobs that wait; a further one is refused.
        time_to_live_seconds: How long a finished job is kept after it was last asked for.
    """

    input: Limits = PAGE_INPUT
    max_upload_bytes: int = 2 * GIBIBYTE
    max_job_seconds: float = 3600.0
    max_check_seconds: float = 60.0
    num_workers: int = 1
    max_waiting: int = 16
    time_to_live_seconds: float = 3600.0


DEFAULT_WEB_LIMITS = WebLimits()
