"""The engine behind the page: uploads in, events out, results in the folder of the job. It knows no Gradio."""

import logging
import shutil
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.web import texts
from app.web.child import Children
from app.web.jobs.events import Cancelled, Done, Event, Failed, Started
from app.web.jobs.job import Job, JobStatus
from app.web.jobs.process import MODULE, WorkerProcess
from app.web.jobs.queue import JobQueue
from app.web.jobs.settings import JobSettings
from app.web.jobs.store import JobStore
from app.web.jobs.work import PREVIEW, RESULT, write_job
from app.web.jobs.worker import INPUT
from app.web.limits import DEFAULT_WEB_LIMITS, WebLimits
from app.web.results.command_line import command_line
from app.web.results.downloads import Download, archive_of, list_downloads
from app.web.results.filtered import Filtered
from app.web.results.refiltering import refilter_apart
from app.web.uploads.checking import check_uploads
from app.web.uploads.intake import look_at, require_disk, take_in
from app.web.uploads.warning import PhotographWarning
from recon.errors import InputError, ResourceError

log = logging.getLogger(__name__)

FILTERED = "filtered"
"""Folder of the results that were filtered again, in that of the job."""
KEPT = (PREVIEW, RESULT)
"""Of the folder of a finished job; the rest goes."""
SECONDS_TO_CANCEL = 5.0


@dataclass(frozen=True)
class Findings:
    """What can be said about uploads before a job.

    Attributes:
        names: Of the files that are taken, as the job will call them.
        refused: Name of each other file, and why it is not taken.
        warnings: What looks wrong, the most serious first.
    """

    names: tuple[str, ...]
    refused: dict[str, str]
    warnings: list[PhotographWarning]


class Engine:
    """Runs jobs, each in a process and a folder of its own.

    Args:
        limits: How much it takes on.
        root: Folder below which jobs are kept until the end; by default the one for temporary files.
        worker: Module that a worker process runs.

    Raises:
        InputError: `root` is below the working directory.
        ResourceError: It takes no folder.
    """

    def __init__(self, limits: WebLimits = DEFAULT_WEB_LIMITS, root: Path | None = None, *, worker: str = MODULE):
        self.limits, self._worker = limits, worker
        self._store = JobStore(root, limits.time_to_live_seconds)
        self._checking = threading.Semaphore(limits.num_workers)
        self._filtering, self._packing, self._taking = threading.Lock(), threading.Lock(), threading.Lock()
        self._children = Children()
        self._processes: dict[str, WorkerProcess] = {}
        self._queue = JobQueue(self._work, limits.num_workers, limits.max_waiting)

    def check(self, uploads: Sequence[Path]) -> Findings:
        """Look at uploads before a job; takes some seconds.

        Raises:
            InputError, LimitError: As `submit`, of the uploads.
            FormatError: A photograph broke the decoder.
        """
        intake = look_at(uploads, self.limits)
        names = tuple(taken.name for taken in intake.taken)
        with self._checking:
            return Findings(names, intake.refused, check_uploads(intake, self.limits, self._children))

    def submit(self, uploads: Sequence[Path], settings: JobSettings = JobSettings()) -> str:  # noqa: B008 (frozen)
        """Let a job wait for a worker; its unguessable id.

        Args:
            uploads: Files that stay where they are, in the order that the person gave them.
            settings: What was chosen.

        Raises:
            InputError: A setting or the uploads have no meaning, or do not go together; the message names each refused
                file and why.
            LimitError: There is too much of something; the message says how much, and how much is allowed.
            ResourceError: Too many jobs wait, or the disk has too little room; the message says how much it has.
        """
        settings.validate()
        self._queue.require_room()
        intake = look_at(uploads, self.limits)
        settings.require_fit(intake.family)
        job = self._store.create(settings)
        try:
            (job.folder / INPUT).mkdir()
            with self._taking:  # or two would count on the same room
                require_disk(intake, self._store.root)
                job.sources, job.refused = take_in(intake, job.folder / INPUT), intake.refused
            job.family = intake.family
            write_job(job.folder, job.sources, settings, self.limits.input)
            self._processes[job.id] = WorkerProcess(job.folder, self.limits.max_job_seconds, module=self._worker)
            self._queue.put(job)
        except BaseException:
            self._processes.pop(job.id, None)
            self._store.remove(job)
            raise
        return job.id

    def events(self, id: str, *, timeout: float | None = None) -> Iterator[Event]:
        """All events of a job from the first, as they come; the last is Done, Failed or Cancelled.

        Raises:
            InputError: There is no such job.
            TimeoutError: Nothing happened for so many seconds.
        """
        return self._store.get(id).follow(timeout=timeout)

    def watch(self, id: str) -> AsyncIterator[Sequence[Event]]:
        """As `events`, for servers with many who watch: each time all that is new; InputError if there is no job."""
        return self._store.get(id).watch()

    def status(self, id: str) -> JobStatus:
        """A job as it is now; InputError if there is none."""
        return self._store.get(id).status()

    def is_at_work(self, id: str | None) -> bool:
        """Whether a job waits or runs; not so of one that is over, or not there."""
        try:
            return id is not None and not self._store.get(id).is_over
        except InputError:
            return False

    def cancel(self, id: str) -> JobStatus:
        """End a job at once and remove its files; one that is over stays as it is. InputError if there is none."""
        job = self._store.get(id)
        if self._queue.take_out(job):
            self._finish(job, Cancelled())
        elif process := self._processes.get(id):
            process.cancel()
            job.wait(SECONDS_TO_CANCEL)
        return job.status()

    def folder(self, id: str) -> Path:
        """Folder of a job, with `preview` and `result` as far as they are there; InputError if there is none."""
        return self._store.get(id).folder

    def downloads(self, id: str) -> list[Download]:
        """Every file of the results with its size; InputError if there is no such job, or it has no results."""
        return list_downloads(self._result(id))

    def archive(self, id: str) -> Download:
        """All files of the results in one zip archive, made once; one is made at a time.

        Raises:
            InputError: As `downloads`.
            ExportError: The disk is full.
        """
        with self._packing:
            return archive_of(self._result(id), self.folder(id))

    def refilter(self, id: str, min_confidence: float, exports: Sequence[str] = ("ply",)) -> Filtered:
        """Write the files again without Gaussians of low confidence, in a process of its own, one at a time.

        Raises:
            InputError: There is no such job or no such file, or the number is out of range.
            GeometryError: Nothing is left.
            LimitError: It took too long.
            ResourceError: Memory ran out, or others wait too long already.
            ExportError: The files cannot be written.
        """
        result, seconds = self._result(id), self.limits.max_filter_seconds
        if not self._filtering.acquire(timeout=seconds):
            raise ResourceError("the files of other jobs are being written", hint="try again in a minute")
        try:
            return refilter_apart(result, self.folder(id) / FILTERED, min_confidence, exports, seconds, self._children)
        finally:
            self._filtering.release()

    def command_line(self, id: str) -> str:
        """The same job as a command; InputError if there is none."""
        job = self._store.get(id)
        return command_line(job.settings, job.family)

    def close(self) -> None:
        """Cancel everything and remove all files."""
        self._queue.take_no_more()
        self._children.close()
        for job in self._store.all():
            if not job.is_over:
                self.cancel(job.id)
        self._queue.close()
        self._store.close()

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _result(self, id: str) -> Path:
        """Folder of the results, which may not be there."""
        return self.folder(id) / RESULT

    def _work(self, job: Job) -> None:
        process = self._processes[job.id]
        job.tell(Started())
        try:
            last = process.run(job.tell)
        except OSError as error:
            last = Failed("ResourceError", texts.NO_WORKER.format(reason=error.strerror or error), texts.TRY_LATER)
        except Exception:  # whatever goes wrong, files must go and those who wait must hear of the end
            log.exception("a job ended by an unknown error")
            process.cancel()
            last = Failed("InternalError", texts.SERVER_ERROR, texts.START_AGAIN)
        self._finish(job, last)

    def _finish(self, job: Job, last: Event) -> None:
        """Remove what is no longer needed, then tell that it is over."""
        self._processes.pop(job.id, None)
        try:
            _empty(job.folder, KEPT if isinstance(last, Done) else ())
        except OSError as error:
            log.warning("the files of a job that is over cannot be removed: %s", error)
        job.tell(last)


def _empty(folder: Path, kept: Sequence[str]) -> None:
    """Remove all but what is named; OSError if that is impossible."""
    for entry in folder.iterdir():
        if entry.name in kept:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
