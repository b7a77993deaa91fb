"""View samplers for captures of few frames, where gaps in frames mean little."""

from dataclasses import dataclass

import numpy as np

from recon.data.views.counts import ViewCounts, require_frames
from recon.data.views.extra_views import evenly_between
from recon.data.views.selection import ViewSelection, sample_views
from recon.types import Cameras


@dataclass(frozen=True)
class WholeSpan(ViewCounts):
    """Context views evenly spread from the first frame to the last; targets drawn from all other frames."""

    def select(
        self, cameras: Cameras, step: int, rng: np.random.Generator, num_context: int | None = None
    ) -> ViewSelection:
        """Frames of one sample; see `ViewSampler.select`."""
        num_context = self.draw_num_context(rng) if num_context is None else num_context
        require_frames(len(cameras), num_context + self.num_targets, "views that are given and views to predict")
        context = evenly_between(0, len(cameras) - 1, num_context)
        others = np.setdiff1d(np.arange(len(cameras)), context)
        return ViewSelection(context, sorted(int(i) for i in rng.choice(others, self.num_targets, replace=False)))


@dataclass(frozen=True)
class RandomSpan(ViewCounts):
    """Context views within a span of random length and place, long ones more often; see `sample_views`."""

    num_context: tuple[int, ...] = (2, 2, 3, 4, 6)
    num_targets: int = 2

    def select(
        self, cameras: Cameras, step: int, rng: np.random.Generator, num_context: int | None = None
    ) -> ViewSelection:
        """Frames of one sample; see `ViewSampler.select`."""
        num_context = self.draw_num_context(rng) if num_context is None else num_context
        require_frames(len(cameras), num_context + self.num_targets, "views that are given and views to predict")
        context, target = sample_views(len(cameras), num_context, self.num_targets, rng)
        return ViewSelection(context, sorted(target))
