"""The view sampler of pixelSplat and its successors on RealEstate10K."""

from dataclasses import dataclass

import numpy as np

from recon.data.views.counts import ViewCounts
from recon.data.views.extra_views import evenly_between
from recon.data.views.gap import GapSchedule, draw_span
from recon.data.views.selection import ViewSelection
from recon.errors import InputError
from recon.types import Cameras

RE10K_GAP = GapSchedule(min_gap=45, max_gap=135, initial_min_gap=25, initial_max_gap=45, warm_up_steps=30_000)
"""Of DepthSplat and iLRM."""


@dataclass(frozen=True)
class Bounded(ViewCounts):
    """Two context frames at a bounded gap, with further ones evenly spaced between them; targets lie between the two.

    Targets are drawn without replacement. As in the published samplers they may be one of the outermost context frames
    if `margin` is 0; the context frames between give way to them.

    Attributes:
        gap: From the first to the last context frame.
        margin: Least distance of targets from the outermost context frames, in frames.
    """

    gap: GapSchedule = RE10K_GAP
    margin: int = 0

    def __post_init__(self):
        super().__post_init__()
        if self.margin < 0:
            raise InputError(f"margin is {self.margin}, expected 0 or more")

    def select(
        self, cameras: Cameras, step: int, rng: np.random.Generator, num_context: int | None = None
    ) -> ViewSelection:
        """Frames of one sample; see `ViewSampler.select`."""
        num_context = self.draw_num_context(rng) if num_context is None else num_context
        smallest = max(2 * self.margin + self.num_targets - 1, 1)
        if num_context > 2:  # inner context views need frames that no target occupies
            smallest = max(smallest, num_context - 1 + self.num_targets)
        left, right = draw_span(self.gap.at(step), len(cameras), smallest, rng)
        candidates = np.arange(left + self.margin, right - self.margin + 1)
        target = sorted(int(i) for i in rng.choice(candidates, self.num_targets, replace=False))
        return ViewSelection(evenly_between(left, right, num_context, avoid=target), target)
