"""Numbers of views that a sample may have."""

from dataclasses import dataclass

import numpy as np

from recon.errors import InputError, UnusableCaptureError


@dataclass(frozen=True)
class ViewCounts:
    """How many views a sampler gives and asks for.

    Attributes:
        num_context: Numbers of context views, of which one is drawn; repeat a number to draw it more often.
        num_targets: Frames to predict.

    Raises:
        InputError: A number of context views is below 2, or there is no target.
    """

    num_context: tuple[int, ...] = (2,)
    num_targets: int = 4

    def __post_init__(self):
        if not self.num_context or min(self.num_context) < 2:
            raise InputError(f"num_context is {self.num_context}, expected numbers of at least 2")
        if self.num_targets < 1:
            raise InputError(f"num_targets is {self.num_targets}, expected at least 1")

    def draw_num_context(self, rng: np.random.Generator) -> int:
        """A number of context views, for samplers of whole batches."""
        return int(rng.choice(self.num_context))


def require_frames(found: int, needed: int, purpose: str) -> None:
    """Raise UnusableCaptureError if a capture has fewer frames than needed."""
    if found < needed:
        raise UnusableCaptureError(
            "too few frames",
            f"{found} frames, expected at least {needed} for {purpose}",
            hint="lower the gaps or the numbers of views of the view sampler, or use captures with more frames",
        )
