"""All jobs of one server: their ids, their folders, and when they go."""

import contextlib
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from app.web.jobs.job import Job
from app.web.jobs.settings import JobSettings
from recon.errors import InputError, ResourceError
from recon.io.part_entries import part_folder

ID_BYTES = 24
NAME = "recon-jobs"
SWEEPS_PER_LIFE = 4
LONGEST_PAUSE_SECONDS = 60.0


class JobStore:
    """Keeps each job in a folder of its own below a hidden one, which goes at the end.

    What a server that was killed left in the same place is removed when the next one starts there.

    Args:
        place: Folder below which the folder of all jobs is made; the one for temporary files by default. It must not
            be the working directory, whose files web servers like to hand out.
        time_to_live: Seconds that a finished job is kept after it was last asked for.
        clock: Seconds that only grow, as `time.monotonic`.

    Raises:
        InputError: The place is below the working directory.
        ResourceError: The place takes no folder.
    """

    def __init__(self, place: Path | None, time_to_live: float, *, clock: Callable[[], float] = time.monotonic):
        place = Path(tempfile.gettempdir()) if place is None else place
        if place.resolve().is_relative_to(Path.cwd()):
            raise InputError(
                f"jobs would be kept in {place}, below the working directory {Path.cwd()}",
                hint="start the page from another folder",
            )
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._clock, self._time_to_live = clock, time_to_live
        self._closing = threading.Event()
        self._held = contextlib.ExitStack()
        try:
            place.mkdir(parents=True, exist_ok=True)
            self.root = self._held.enter_context(part_folder(place, NAME)).path.resolve()
            self.root.chmod(0o700)
        except OSError as error:
            raise ResourceError(f"jobs cannot be kept in {place} ({error.strerror or error})") from error
        self._sweeper = threading.Thread(target=self._sweep_again_and_again, name="sweeper", daemon=True)
        self._sweeper.start()

    def create(self, settings: JobSettings) -> Job:
        """A job with an empty folder.

        Raises:
            ResourceError: The disk takes no folder.
        """
        name = secrets.token_urlsafe(ID_BYTES)
        job = Job(name, self.root / name, settings, clock=self._clock)
        try:
            job.folder.mkdir(mode=0o700)
        except OSError as error:
            raise ResourceError(f"no folder for a job can be made ({error.strerror or error})") from error
        with self._lock:
            self._jobs[name] = job
        return job

    def get(self, id: str) -> Job:
        """The job of that id, which thereby lives longer.

        Raises:
            InputError: There is none, or no longer.
        """
        with self._lock:
            job = self._jobs.get(id) if isinstance(id, str) else None
            if job is None:
                raise InputError("there is no such job, or no longer", hint="start it again")
            job.last_seen = self._clock()
            return job

    def all(self) -> list[Job]:
        """Every job that is kept."""
        with self._lock:
            return list(self._jobs.values())

    def remove(self, job: Job) -> None:
        """Forget a job and its files."""
        with self._lock:
            self._jobs.pop(job.id, None)
        shutil.rmtree(job.folder, ignore_errors=True)

    def sweep(self) -> int:
        """Remove finished jobs that nobody asked for in a while; how many."""
        oldest = self._clock() - self._time_to_live
        with self._lock:
            stale = [job for job in self._jobs.values() if job.is_over and job.last_seen < oldest]
        for job in stale:
            self.remove(job)
        return len(stale)

    def close(self) -> None:
        """Remove everything."""
        self._closing.set()
        self._sweeper.join()
        self._held.close()

    def _sweep_again_and_again(self) -> None:
        while not self._closing.wait(min(self._time_to_live / SWEEPS_PER_LIFE, LONGEST_PAUSE_SECONDS)):
            self.sweep()
