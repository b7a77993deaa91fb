"""What every view sampler can do."""

from typing import Protocol, runtime_checkable

import numpy as np

from recon.data.views.selection import ViewSelection
from recon.types import Cameras


@runtime_checkable
class ViewSampler(Protocol):
    """Chooses the frames of a training sample: a function of the capture, the step and the generator's state alone."""

    def draw_num_context(self, rng: np.random.Generator) -> int:
        """A number of context views, drawn once where all samples of a batch must have the same."""
        ...

    def select(
        self, cameras: Cameras, step: int, rng: np.random.Generator, num_context: int | None = None
    ) -> ViewSelection:
        """Frames of one sample.

        Args:
            cameras: Of all frames of the capture, in order.
            step: Training step, by which a curriculum widens.
            rng: Source of randomness.
            num_context: Context views; None draws the number.

        Returns:
            Ascending, distinct context frames and ascending, distinct target frames.

        Raises:
            UnusableCaptureError: The capture has too few frames.
        """
        ...
