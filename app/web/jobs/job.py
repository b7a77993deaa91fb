"""One job: what was asked for, what happened so far, and who waits for more."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from app.web.jobs.events import LAST, Cancelled, Done, Event, Failed, Progress, Started, Waiting
from app.web.jobs.settings import JobSettings
from app.web.uploads.kinds import Family

State = Literal["waiting", "running", "done", "failed", "cancelled"]
_STATES: dict[type, State] = {
    Waiting: "waiting",
    Started: "running",
    Done: "done",
    Failed: "failed",
    Cancelled: "cancelled",
}
SomeEvent = TypeVar("SomeEvent", bound=Event)
MAX_EVENTS = 20_000
"""Further progress of one job is not kept."""
SECONDS_BETWEEN_LOOKS = 0.2


@dataclass(frozen=True)
class JobStatus:
    """A job at one moment.

    Attributes:
        state: Where it is.
        position: 1 for the next to start; None unless it waits.
        progress: What was said last, if it runs.
        failure: Why it failed, if it did.
        seconds: Since it was started, up to its end; 0 before.
        refused: Uploaded files that were not taken, and why.
        num_files: Uploaded files that were taken.
    """

    state: State
    position: int | None
    progress: Progress | None
    failure: Failed | None
    seconds: float
    refused: dict[str, str]
    num_files: int


@dataclass
class Job:
    """Safe to use from several threads.

    Attributes:
        id: Unguessable.
        folder: Its own: `input`, `tmp`, `preview`, `result`.
        settings: What was chosen.
        sources: Files in `folder`/input, in the order of the uploads.
        family: What they are.
        refused: Uploaded files that were not taken, and why.
        clock: Seconds that only grow; all times of the job are told by it.
    """

    id: str
    folder: Path
    settings: JobSettings
    sources: tuple[str, ...] = ()
    family: Family = "image"
    refused: dict[str, str] = field(default_factory=dict)
    state: State = "waiting"
    clock: Callable[[], float] = time.monotonic
    last_seen: float = field(init=False)
    started_at: float | None = None
    ended_at: float | None = None
    events: list[Event] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.last_seen = self.clock()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.ended_at is not None

    def tell(self, event: Event) -> None:
        """Something happened; after the last event nothing more is taken."""
        with self._changed:
            if self.is_over or (isinstance(event, Progress) and len(self.events) >= MAX_EVENTS):
                return
            self.events.append(event)
            self.state = _STATES.get(type(event), self.state)
            now = self.clock()
            if isinstance(event, Started):
                self.started_at = now
            if isinstance(event, LAST):
                self.ended_at = self.last_seen = now
            self._changed.notify_all()

    def follow(self, *, timeout: float | None = None) -> Iterator[Event]:
        """All events from the first, as they come, up to the last one.

        Raises:
            TimeoutError: Nothing happened for so many seconds.
        """
        index = 0
        while True:
            with self._changed:
                if not self._changed.wait_for(lambda: len(self.events) > index, timeout):  # noqa: B023
                    raise TimeoutError(f"nothing happened for {timeout} s")
                event = self.events[index]
            index += 1
            yield event
            if isinstance(event, LAST):
                return

    async def watch(self) -> AsyncIterator[Sequence[Event]]:
        """As `follow`, without holding a thread while nothing happens; each time all that is new."""
        index = 0
        while True:
            if new := self.events[index:]:  # which only grows
                index += len(new)
                yield new
                if isinstance(new[-1], LAST):
                    return
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it is over, after waiting for that at most so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self.is_over, timeout)

    def status(self) -> JobStatus:
        """As it is now."""
        with self._changed:
            until, waiting = self.clock() if self.ended_at is None else self.ended_at, self._latest(Waiting)
            return JobStatus(
                state=self.state,
                position=waiting.position if waiting and self.state == "waiting" else None,
                progress=self._latest(Progress) if self.state == "running" else None,
                failure=self._latest(Failed) if self.state == "failed" else None,
                seconds=0.0 if self.started_at is None else until - self.started_at,
                refused=dict(self.refused),
                num_files=len(self.sources),
            )

    def _latest(self, kind: type[SomeEvent]) -> SomeEvent | None:
        return next((event for event in reversed(self.events) if isinstance(event, kind)), None)
