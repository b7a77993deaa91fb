"""How far apart the outermost context frames are, growing while the network learns (pixelSplat, section 5.1)."""

from dataclasses import dataclass

import numpy as np

from recon.data.views.counts import require_frames
from recon.errors import InputError


@dataclass(frozen=True)
class GapSchedule:
    """Bounds of the number of frames from the first to the last context frame, which grow linearly with the step.

    Attributes:
        min_gap: Lower bound once warmed up.
        max_gap: Upper bound once warmed up.
        initial_min_gap: Lower bound at step 0.
        initial_max_gap: Upper bound at step 0.
        warm_up_steps: Steps until the final bounds hold; 0 makes them hold from the start.
    """

    min_gap: int
    max_gap: int
    initial_min_gap: int
    initial_max_gap: int
    warm_up_steps: int

    def __post_init__(self):
        for low, high in ((self.min_gap, self.max_gap), (self.initial_min_gap, self.initial_max_gap)):
            if not 1 <= low <= high:
                raise InputError(f"gaps of {low} to {high} frames, expected 1 <= least <= largest")
        if self.warm_up_steps < 0:
            raise InputError(f"warm_up_steps is {self.warm_up_steps}, expected 0 or more")

    def at(self, step: int) -> tuple[int, int]:
        """Least and largest gap at a training step, in frames."""
        if step >= self.warm_up_steps:
            return self.min_gap, self.max_gap
        return (
            _between(self.initial_min_gap, self.min_gap, step, self.warm_up_steps),
            _between(self.initial_max_gap, self.max_gap, step, self.warm_up_steps),
        )


def draw_span(bounds: tuple[int, int], num_frames: int, smallest: int, rng: np.random.Generator) -> tuple[int, int]:
    """First and last frame of a span: its gap is uniform within the bounds, then its place is uniform in the capture.

    Args:
        bounds: Least and largest gap; the largest is cut to what the capture has.
        num_frames: Frames of the capture.
        smallest: Gap that the wanted views need, whatever the bounds say.
        rng: Source of randomness.

    Raises:
        UnusableCaptureError: The capture is shorter than the least gap.
    """
    low = max(bounds[0], smallest)
    high = min(max(bounds[1], smallest), num_frames - 1)
    require_frames(num_frames, low + 1, f"a gap of {low} between the outermost context frames")
    gap = int(rng.integers(low, high + 1))
    left = int(rng.integers(0, num_frames - gap))
    return left, left + gap


def _between(initial: int, final: int, step: int, steps: int) -> int:
    return initial + (final - initial) * step // steps
