"""Who is next: a bounded queue in front of a fixed number of workers."""

import logging
import threading
from collections import deque
from collections.abc import Callable

from app.web import texts
from app.web.jobs.events import Failed, Waiting
from app.web.jobs.job import Job
from recon.errors import ResourceError

log = logging.getLogger(__name__)


class JobQueue:
    """Runs jobs in the order in which they come.

    Args:
        run: Works on one job, and tells it its last event; called in a thread of the queue.
        num_workers: Jobs at the same time.
        max_waiting: Jobs that wait at most.
    """

    def __init__(self, run: Callable[[Job], None], num_workers: int, max_waiting: int):
        self._run, self._max_waiting, self._num_workers = run, max_waiting, num_workers
        self._waiting: deque[Job] = deque()
        self._num_running = 0
        self._is_closed = False
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._work, name=f"worker {number}", daemon=True) for number in range(num_workers)
        ]
        for thread in self._threads:
            thread.start()

    def require_room(self) -> None:
        """Raise ResourceError if `put` would."""
        with self._changed:
            self._require_room()

    def put(self, job: Job) -> None:
        """Let a job wait for a worker.

        Raises:
            ResourceError: Too many wait already, or the server ends.
        """
        with self._changed:
            self._require_room()
            self._waiting.append(job)
            job.tell(Waiting(len(self._waiting)))
            self._changed.notify()

    def take_out(self, job: Job) -> bool:
        """Whether the job was still waiting, and now is not."""
        with self._changed:
            if job not in self._waiting:
                return False
            self._waiting.remove(job)
            self._tell_positions()
            return True

    def take_no_more(self) -> None:
        """Refuse every further job, and start none of those that wait."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def close(self) -> None:
        """Take no further job; wait until the running ones are over."""
        self.take_no_more()
        for thread in self._threads:
            thread.join()

    def _require_room(self) -> None:
        if self._is_closed:
            raise ResourceError("the server ends and takes no further job")
        free = self._num_workers - self._num_running
        if len(self._waiting) >= self._max_waiting + max(free, 0):
            raise ResourceError(
                f"{self._num_running} jobs run and {len(self._waiting)} wait, at most {self._max_waiting} may wait",
                hint="try again in some minutes",
            )

    def _tell_positions(self) -> None:
        for position, job in enumerate(self._waiting, 1):
            job.tell(Waiting(position))

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                if self._is_closed:
                    return
                job = self._waiting.popleft()
                self._num_running += 1
                self._tell_positions()
            try:
                self._run(job)
            except Exception:  # whatever goes wrong with one job, the next one gets its turn
                log.exception("a job ended by an unknown error")
                job.tell(Failed("InternalError", texts.SERVER_ERROR, texts.START_AGAIN))
            finally:
                with self._changed:
                    self._num_running -= 1
