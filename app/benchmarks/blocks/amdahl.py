"""What a faster layer can be worth in a whole network: its share of the work of the published iLRM."""

from math import isqrt
from typing import Literal

from models.layers.contracts import Layout

Part = Literal["feed_forward", "attention"]
DIM, TOKENS_PER_VIEW, RATIO = 768, 1024, 4
"""Published sizes: pictures of 256 pixels, patches of 8."""


def share(part: Part, views: int) -> float:
    """Part of the multiply-adds of a read and a share block: both feed-forward layers, or the attention of all views.

    The projections of that attention count to it; tokenisers, heads and rendering are left out, so the true share is
    a little less.
    """
    tokens = views * TOKENS_PER_VIEW
    feed_forward = 2 * tokens * 2 * RATIO * DIM**2
    projections = tokens * 4 * DIM**2
    joint, own = 2 * tokens**2 * DIM, 2 * tokens * TOKENS_PER_VIEW * DIM
    total = feed_forward + 2 * projections + joint + own
    return (feed_forward if part == "feed_forward" else projections + joint) / total


def layout(views: int) -> Layout:
    """The tokens of the published network."""
    side = isqrt(TOKENS_PER_VIEW)
    return Layout(views, side, side)


def bound(part: Part, views: int, speed_up: float) -> float:
    """Speed-up of the network if that part alone becomes faster (Amdahl's law)."""
    mine = share(part, views)
    return 1 / (1 - mine + mine / speed_up)
