"""Growing seconds since the first frame, whatever the time stamps of a video do."""

import math

# A pause longer than this counts as this: a time stamp far off must not swallow all windows.
LONGEST_GAP = 10.0


class Clock:
    """Follows time stamps where they grow, and ticks where they do not."""

    def __init__(self, step: float):
        """Begin at zero.

        Args:
            step: Seconds of a tick.
        """
        self.step = step
        self.zero: float | None = None
        self.seconds = 0.0

    def tick(self, stamp: float | None) -> float:
        """Time of the next frame.

        Args:
            stamp: What the file says, in seconds from anywhere; None if it says nothing.
        """
        if self.zero is None:
            self.zero = stamp or 0.0
        elif stamp is None or not self.seconds < stamp - self.zero < math.inf:
            self.seconds += self.step
        else:
            self.zero += max(0.0, stamp - self.zero - self.seconds - LONGEST_GAP)
            self.seconds = stamp - self.zero
        return self.seconds
