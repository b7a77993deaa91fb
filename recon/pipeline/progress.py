"""What a run tells while it works: which stage it is at, how long it will take, and what it has made so far."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from recon.pipeline.stages import STAGES, Stage
from recon.types import Gaussians, Photograph, PoseEstimate, ViewSet

log = logging.getLogger("recon.pipeline")


LEAST_DONE = 0.02
"""Part of a run before which nothing is said of the time that is left."""


@dataclass(frozen=True)
class ProgressEvent:
    """One thing that a run says.

    Attributes:
        stage: Name of the stage that it is at.
        message: In words.
        fraction: Part of the whole run that is done, 0..1; None before the first stage.
        seconds_left: About how long the whole run still takes; None while that cannot be told.
    """

    stage: str
    message: str
    fraction: float | None = None
    seconds_left: float | None = None


@runtime_checkable
class Observer(Protocol):
    """Watches a run; what it is handed is not its own to change."""

    def announce(self, event: ProgressEvent) -> None:
        """A stage begins or goes on."""
        ...

    def poses(self, photographs: list[Photograph], pose: PoseEstimate) -> None:
        """The cameras are known."""
        ...

    def gaussians(self, stage: str, gaussians: Gaussians, views: ViewSet) -> None:
        """A stage made Gaussians; `views` have the cameras that go with them."""
        ...


class LogObserver:
    """Logs what is said, and looks at nothing else."""

    def announce(self, event: ProgressEvent) -> None:
        """Log the words."""
        log.info("%s", event.message)

    def poses(self, photographs: list[Photograph], pose: PoseEstimate) -> None:
        """Nothing."""

    def gaussians(self, stage: str, gaussians: Gaussians, views: ViewSet) -> None:
        """Nothing."""


class Stages:
    """The stages of one run: announces each, keeps its wall time, and tells how long the rest takes.

    The rest is taken to go on at the pace so far: seconds passed per share done, times the shares still to come.

    Args:
        observer: Told everything.
        plan: The stages in their order.
        clock: Seconds that only grow.
    """

    def __init__(
        self, observer: Observer, plan: tuple[Stage, ...] = STAGES, clock: Callable[[], float] = time.perf_counter
    ):
        self.observer = observer
        self.seconds: dict[str, float] = {}
        self._clock = clock
        self._shares = {stage.name: stage.share for stage in plan}
        self._current = ""
        self._done: set[str] = set()
        self._start: float | None = None

    @contextmanager
    def __call__(self, name: str, message: str) -> Iterator[None]:
        """A stage of the plan, or a further one, of which no time is known."""
        start = self._clock()
        self._start = start if self._start is None else self._start
        self._current = name
        self.say(message)
        yield
        self.seconds[name] = round(self._clock() - start, 2)
        self._done.add(name)

    def leave_out(self, name: str) -> None:
        """This run has no such stage."""
        self._shares.pop(name, None)

    def say(self, message: str, *, done: float = 0.0, seconds_left: float | None = None) -> None:
        """Tell something of the stage that runs.

        Args:
            message: In words.
            done: Part of the stage that is done, 0..1.
            seconds_left: How long the stage still takes, if it knows.
        """
        fraction, left = self._outlook(done, seconds_left)
        self.observer.announce(ProgressEvent(self._current, message, fraction, left))

    def go_on(self, message: str, done: float) -> None:
        """As `say`, for work that knows no more than which part of it is done."""
        self.say(message, done=done)

    def _outlook(self, done: float, stage_left: float | None) -> tuple[float | None, float | None]:
        """Part of the run that is done, and seconds that are left."""
        if self._start is None:
            return None, None
        total = sum(self._shares.values())
        before = sum(share for name, share in self._shares.items() if name in self._done)
        current = 0.0 if self._current in self._done else self._shares.get(self._current, 0.0)
        fraction = (before + current * done) / total
        elapsed = self._clock() - self._start
        if stage_left is not None and before + current > 0:
            pace = (elapsed + stage_left) / (before + current)
            return fraction, stage_left + pace * (total - before - current)
        if fraction < LEAST_DONE:
            return fraction, None
        return fraction, elapsed * (1 / fraction - 1)
