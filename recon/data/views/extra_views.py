"""How context views between the outermost two are chosen."""

from collections.abc import Callable, Collection, Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from recon.errors import UnusableCaptureError

KMEANS_ROUNDS = 50


def evenly_between(left: int, right: int, num_views: int, avoid: Collection[int] = ()) -> list[int]:
    """Frames evenly spaced from `left` to `right`, both included, rounded down.

    An inner frame that is to be avoided gives way to the nearest free frame between the ends, the later one first. The
    ends stay where they are. This is how iLRM gives more views to pairs of an evaluation index (section 4.1).

    Raises:
        UnusableCaptureError: There are not that many frames between the ends.
    """
    taken, chosen = {left, right, *avoid}, [left]
    for i in range(1, num_views - 1):
        wanted = left + (right - left) * i // (num_views - 1)
        candidates = [wanted, *(wanted + sign * d for d in range(1, right - left) for sign in (1, -1))]
        frame = next((f for f in candidates if left < f < right and f not in taken), None)
        if frame is None:
            raise UnusableCaptureError(
                "too few frames",
                f"frames {left} to {right} have no room for {num_views} context views beside the views to predict",
                hint="give fewer context views",
            )
        taken.add(frame)
        chosen.append(frame)
    return sorted([*chosen, right])


def farthest_points(features: Float[ndarray, "frames _"], num_views: int, rng: np.random.Generator) -> list[int]:
    """Each time the frame farthest from those chosen, beginning with the one farthest from the mean. Takes no chance.

    Only the first three features, the camera centres, count. Frames at the same place are chosen in their order.
    """
    centres = features[:, :3]
    chosen = [int(((centres - centres.mean(0)) ** 2).sum(1).argmax())]
    nearest = np.full(len(centres), np.inf)
    while len(chosen) < num_views:
        nearest = np.minimum(nearest, ((centres - centres[chosen[-1]]) ** 2).sum(1))
        nearest[chosen] = -1
        chosen.append(int(nearest.argmax()))
    return sorted(chosen)


def kmeans_views(features: Float[ndarray, "frames _"], num_views: int, rng: np.random.Generator) -> list[int]:
    """The frames nearest to the centres of k-means clusters of position and direction (Long-LRM, section 4.1).

    Lloyd's algorithm from a random k-means++ start; a frame that two centres would share is given to the first, and
    the other takes the next nearest.
    """
    centres = features[_kmeans_seeds(features, num_views, rng)]
    labels = np.full(len(features), -1)
    for _ in range(KMEANS_ROUNDS):
        previous, labels = labels, _squared_distances(features, centres).argmin(1)
        if np.array_equal(previous, labels):
            break
        centres = np.stack(
            [features[labels == k].mean(0) if (labels == k).any() else centres[k] for k in range(num_views)]
        )
    distances, chosen = _squared_distances(features, centres), []
    for k in range(num_views):
        distances[chosen, k] = np.inf
        chosen.append(int(distances[:, k].argmin()))
    return sorted(chosen)


def random_views(features: Float[ndarray, "frames _"], num_views: int, rng: np.random.Generator) -> list[int]:
    """The first and the last frame, and others drawn without replacement."""
    inner = rng.choice(np.arange(1, len(features) - 1), num_views - 2, replace=False)
    return sorted([0, len(features) - 1, *(int(i) for i in inner)])


ExtraViews = Callable[[Float[ndarray, "frames _"], int, np.random.Generator], list[int]]

EXTRA_VIEWS: dict[str, ExtraViews] = {
    "farthest_point": farthest_points,
    "kmeans": kmeans_views,
    "random": random_views,
}
"""All take camera centre and viewing direction of each frame, and give ascending numbers of distinct frames."""


def _kmeans_seeds(features: ndarray, num_views: int, rng: np.random.Generator) -> Sequence[int]:
    """Rows drawn in proportion to the squared distance from those drawn before (Arthur and Vassilvitskii 2007)."""
    seeds = [int(rng.integers(len(features)))]
    while len(seeds) < num_views:
        weights = _squared_distances(features, features[seeds]).min(1)
        weights[seeds] = 0
        if not weights.sum() > 0:  # all other frames coincide with a seed
            weights = np.ones(len(features))
            weights[seeds] = 0
        seeds.append(int(rng.choice(len(features), p=weights / weights.sum())))
    return seeds


def _squared_distances(a: Float[ndarray, "n d"], b: Float[ndarray, "m d"]) -> Float[ndarray, "n m"]:
    return ((a[:, None] - b[None]) ** 2).sum(2)
