"""The view sampler of DepthSplat and iLRM on DL3DV."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from recon.data.views.extra_views import EXTRA_VIEWS
from recon.data.views.gap import GapSchedule, draw_span
from recon.data.views.selection import ViewSelection
from recon.errors import InputError
from recon.types import Cameras

DL3DV_GAP = GapSchedule(min_gap=20, max_gap=50, initial_min_gap=15, initial_max_gap=30, warm_up_steps=10_000)
"""Of DepthSplat and iLRM."""


@dataclass(frozen=True)
class BoundedV2:
    """A random number of context views within a span that is shorter the fewer they are.

    With n of at most m views the bounds of the span are divided by the integer ratio m // n. Two views are the ends of
    the span; more are chosen within it by `extra_views`. Targets are drawn without replacement from all frames of the
    span, as published, so that some may be context views.

    Attributes:
        gap: Length of the span with `max_views` views.
        min_views: Fewest context views.
        max_views: Most context views.
        num_targets: Frames to predict.
        target_reach: Frames beyond either end of the span that targets may lie (extrapolation).
        extra_views: How more than two views are chosen: by camera centres ("farthest_point"), by clusters of centre
            and direction ("kmeans"), or the ends and others by chance ("random").
    """

    gap: GapSchedule = DL3DV_GAP
    min_views: int = 2
    max_views: int = 6
    num_targets: int = 4
    target_reach: int = 0
    extra_views: Literal["farthest_point", "kmeans", "random"] = "farthest_point"

    def __post_init__(self):
        if not 2 <= self.min_views <= self.max_views:
            raise InputError(f"{self.min_views} to {self.max_views} views, expected 2 <= min_views <= max_views")
        if self.num_targets < 1 or self.target_reach < 0:
            raise InputError(
                f"num_targets is {self.num_targets} and target_reach {self.target_reach}, expected at least 1 and 0"
            )

    def draw_num_context(self, rng: np.random.Generator) -> int:
        """A number of context views, for samplers of whole batches."""
        return int(rng.integers(self.min_views, self.max_views + 1))

    def select(
        self, cameras: Cameras, step: int, rng: np.random.Generator, num_context: int | None = None
    ) -> ViewSelection:
        """Frames of one sample; see `ViewSampler.select`."""
        num_context = self.draw_num_context(rng) if num_context is None else num_context
        ratio = max(self.max_views // num_context, 1)
        low, high = self.gap.at(step)
        smallest = max(num_context, self.num_targets) - 1
        left, right = draw_span((max(low // ratio, 1), max(high // ratio, 1)), len(cameras), smallest, rng)
        first, last = max(left - self.target_reach, 0), min(right + self.target_reach, len(cameras) - 1)
        target = sorted(int(i) for i in rng.choice(np.arange(first, last + 1), self.num_targets, replace=False))
        if num_context == 2:
            return ViewSelection([left, right], target)
        span = cameras[left : right + 1].world_from_cam.double().numpy(force=True)
        features = np.concatenate([span[:, :3, 3], span[:, :3, 2]], axis=1)
        inside = EXTRA_VIEWS[self.extra_views](features, num_context, rng)
        return ViewSelection([left + i for i in inside], target)
