"""One worker process: started in a session of its own, read line by line, ended at once with all that it started."""

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from app.web import texts
from app.web.child import command, environment
from app.web.jobs.events import LAST, MAX_LINE_BYTES, Cancelled, Event, Failed, from_line
from recon.errors import FormatError

log = logging.getLogger(__name__)

MODULE = "app.web.jobs.worker"
LOG = "worker.log"
SECONDS_TO_END = 20.0
"""That a worker may take after its last event."""
SECONDS_TO_DIE = 1.0
"""That processes may take after they were killed; only one that the system cannot interrupt takes so long."""


class WorkerProcess:
    """Works on the folder of one job.

    Args:
        folder: Of the job; `tmp` in it is the worker's folder for temporary files.
        max_seconds: Wall time after which it is ended.
        module: What the process runs, given the folder as its only argument.
    """

    def __init__(self, folder: Path, max_seconds: float, *, module: str = MODULE):
        self.folder, self.max_seconds, self.module = folder, max_seconds, module
        self._process: subprocess.Popen[bytes] | None = None
        self._killed: list[psutil.Process] = []
        self._lock = threading.Lock()
        self._is_cancelled = False
        self._is_late = False

    @property
    def pid(self) -> int | None:
        """Of the process, once it is started."""
        return None if self._process is None else self._process.pid

    def cancel(self) -> None:
        """End it at once, or keep it from being started."""
        with self._lock:
            self._is_cancelled = True
            self._kill()

    def run(self, tell: Callable[[Event], None]) -> Event:
        """Start it, pass its events on, and wait for its end.

        Args:
            tell: Called with every event but the last.

        Returns:
            The last one: of the worker, or made from the way in which it ended.
        """
        with self._lock:
            if self._is_cancelled:
                return Cancelled()
            self._process = self._start()
        timer = threading.Timer(self.max_seconds, self._end_for_lateness)
        timer.daemon = True
        timer.start()
        try:
            last = self._read(self._process, tell)
            code = self._reap(self._process, SECONDS_TO_END if last else 0.5)
        finally:
            timer.cancel()
        return self._verdict(last, code)

    def _start(self) -> subprocess.Popen[bytes]:
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        with (self.folder / LOG).open("wb") as errors:
            return subprocess.Popen(
                command(self.module, str(self.folder)),
                stdin=subprocess.PIPE,  # its end tells the worker that the server is gone
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment(TMPDIR=str(temporary), PYTHONUNBUFFERED="1"),
                cwd=self.folder,
                start_new_session=True,
            )

    def _read(self, process: subprocess.Popen[bytes], tell: Callable[[Event], None]) -> Event | None:
        """Pass events on until the last one, which is returned; None if the worker says no more."""
        if process.stdout is None:
            raise ValueError("the worker was started without a pipe")
        while line := process.stdout.readline(MAX_LINE_BYTES):
            try:
                event = from_line(line)
            except FormatError as error:
                log.warning("a worker is ended: %s", error.message)
                with self._lock:
                    self._kill()
                return Failed("InternalError", texts.SAID_NONSENSE, texts.TRY_AGAIN)
            if isinstance(event, LAST):
                return event
            tell(event)
        return None

    def _reap(self, process: subprocess.Popen[bytes], patience: float) -> int:
        """The exit code, once everything is gone; the worker is ended after so many seconds."""
        deadline = time.monotonic() + patience
        while True:
            with self._lock:  # so that the number of a process that is gone is never signalled
                if process.poll() is not None:
                    break
                if time.monotonic() > deadline:
                    self._kill()
            time.sleep(0.01)
        _wait_for_the_end(self._killed)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        return process.returncode

    def _end_for_lateness(self) -> None:
        with self._lock:
            self._is_late = True
            self._kill()

    def _kill(self) -> None:
        """End the worker and all its descendants, those in sessions of their own too; the lock is held."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGSTOP)  # so that it starts no more while its descendants are listed
        with suppress(psutil.Error):
            self._killed += psutil.Process(process.pid).children(recursive=True)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        for descendant in self._killed:
            with suppress(psutil.Error):
                descendant.kill()

    def _verdict(self, last: Event | None, code: int) -> Event:
        if self._is_cancelled:
            return Cancelled()
        if isinstance(last, LAST):
            return last
        if self._is_late:
            return Failed(
                "LimitError",
                texts.TOO_LONG.format(seconds=self.max_seconds),
                texts.LESS_WORK,
            )
        if code == -signal.SIGKILL:
            return Failed(
                "ResourceError",
                texts.KILLED,
                texts.LESS_WORK,
            )
        log.error("a worker ended with code %d; the end of its log: %s", code, self._end_of_log())
        return Failed("InternalError", texts.BROKE_DOWN.format(code=code), texts.TRY_AGAIN)

    def _end_of_log(self) -> str:
        with suppress(OSError):
            return (self.folder / LOG).read_bytes()[-2000:].decode(errors="replace")
        return ""


def _wait_for_the_end(processes: list[psutil.Process]) -> None:
    """Until killed processes hold no file and no memory any more, which is at once for all but rare ones."""
    deadline = time.monotonic() + SECONDS_TO_DIE
    while left := [process.pid for process in processes if _works(process)]:
        if time.monotonic() > deadline:
            log.warning("processes of a worker do not end: %s", left)
            return
        time.sleep(0.005)


def _works(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
