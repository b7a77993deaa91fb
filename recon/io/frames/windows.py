"""The sharpest frame of each stretch of time, with bounded memory and disk, however long the video turns out to be."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from recon.errors import LimitError

# Without wishes: so many frames, but no two from the same quarter of a second, in which a hand moves too little.
DEFAULT_NUM, SHORTEST_WINDOW = 40, 0.25

T = TypeVar("T")


@dataclass(frozen=True)
class Candidate(Generic[T]):
    """A frame that may be chosen.

    Attributes:
        index: Its place among all decoded frames.
        seconds: Time since the first frame.
        sharpness: Larger is sharper.
        picture: The frame itself, or where it was stored.
    """

    index: int
    seconds: float
    sharpness: float
    picture: T


class SharpestFrames(Generic[T]):
    """Keeps the sharpest frame of each window of time; the frame of the running window only in memory.

    When more windows are kept than `capacity`, neighbours are joined and the window doubles, so a long video needs no
    more room than a short one, and no duration that a file states is believed.
    """

    def __init__(
        self,
        window: float,
        capacity: int,
        *,
        join: bool,
        store: Callable[[Candidate[T]], None],
        drop: Callable[[Candidate[T]], None],
    ):
        """Begin with no frame.

        Args:
            window: Length in seconds.
            capacity: Windows that are kept at most.
            join: Whether more than that are joined; else they are refused.
            store: Called with each frame that is kept.
            drop: Called with each kept frame that lost its place.
        """
        self.window, self.capacity, self.join = window, capacity, join
        self.store, self.drop = store, drop
        self.kept: list[Candidate[T]] = []
        self.running: Candidate[T] | None = None

    def offer(self, candidate: Candidate[T]) -> None:
        """Take the next frame in the order of time.

        Raises:
            LimitError: There are more windows than allowed, and they are not to be joined.
        """
        if self.running is not None and self._window_of(candidate) == self._window_of(self.running):
            if candidate.sharpness > self.running.sharpness:
                self.running = candidate
            return
        self._close()
        self.running = candidate

    def finish(self, num: int | None = None) -> list[Candidate[T]]:
        """The chosen frames; with `num`, at most so many: the sharpest of each of `num` equal stretches of time."""
        self._close()
        if num is not None and len(self.kept) > num:
            span = self.kept[-1].seconds - self.kept[0].seconds
            self.window = span / num
            start = self.kept[0].seconds
            self._keep_sharpest(lambda frame: min(num - 1, int((frame.seconds - start) / span * num)))
        return self.kept

    def _close(self) -> None:
        if self.running is None:
            return
        self.store(self.running)
        self.kept.append(self.running)
        self.running = None
        if len(self.kept) <= self.capacity:
            return
        if not self.join:
            raise LimitError(
                f"more than {self.capacity} frames would be taken, one in each {self.window:.3g} s",
                hint="take fewer frames a second, or limit the number of views",
            )
        while len(self.kept) > self.capacity:
            self.window *= 2
            self._keep_sharpest(self._window_of)

    def _window_of(self, frame: Candidate[T]) -> int:
        return math.floor(frame.seconds / self.window)

    def _keep_sharpest(self, window_of: Callable[[Candidate[T]], int]) -> None:
        """Of the kept frames that fall into one window, keep the sharpest."""
        best: dict[int, Candidate[T]] = {}
        for frame in self.kept:
            rival = best.get(window_of(frame))
            if rival is None or frame.sharpness > rival.sharpness:
                best[window_of(frame)] = frame
            loser = rival if best[window_of(frame)] is frame else frame
            if loser is not None:
                self.drop(loser)
        self.kept = list(best.values())
