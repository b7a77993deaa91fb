"""Which pairs of many photographs are worth matching.

All pairs of 200 photographs are 19,900, of which most show different things. The ones that matter are those that look
alike, those taken one after the other, and those that tie parts of the capture together, such as the ends of a loop.
"""

import numpy as np
from jaxtyping import Bool, Int

from recon.sfm.config import PairChoiceConfig


def choose_pairs(shared: Int[np.ndarray, "photographs photographs"], config: PairChoiceConfig) -> list[tuple[int, int]]:
    """Pairs (first, second) with first < second, ascending; the graph that they form is connected.

    Args:
        shared: Symmetric similarity of all pairs, in the order in which the photographs were taken or named.
        config: How many.
    """
    chosen = _neighbours(len(shared), config.num_neighbours) | _best_partners(shared, config.num_partners)
    _tie_together(chosen, shared, config)
    return [(int(first), int(second)) for first, second in np.argwhere(np.triu(chosen, 1))]


def _neighbours(num: int, reach: int) -> Bool[np.ndarray, "photographs photographs"]:
    """Photographs at most `reach` apart in their order."""
    order = np.arange(num)
    apart = np.abs(order[:, None] - order)
    return (apart > 0) & (apart <= reach)


def _best_partners(
    shared: Int[np.ndarray, "photographs photographs"], num_partners: int
) -> Bool[np.ndarray, "photographs photographs"]:
    """The most similar ones of each photograph; of equally similar ones those nearest in the order."""
    num = len(shared)
    order = np.arange(num)
    chosen = np.zeros((num, num), bool)
    for index in range(num):
        apart = np.abs(order - index)
        ranked = np.lexsort((order, apart, -shared[index]))
        chosen[index, ranked[ranked != index][:num_partners]] = True
    return chosen | chosen.T


def _tie_together(
    chosen: Bool[np.ndarray, "photographs photographs"],
    shared: Int[np.ndarray, "photographs photographs"],
    config: PairChoiceConfig,
) -> None:
    """Add pairs in place, most similar first, between photographs that lie far apart in the graph so far.

    Without a path between them, any pair is added; with a path, one that shares `min_shared` and saves more than
    `max_hops` steps. So a walk that returns to where it began is closed, though its next frames are the more similar.
    """
    hops = _count_hops(chosen)
    firsts, seconds = np.triu_indices(len(shared), 1)
    for k in np.argsort(-shared[firsts, seconds], kind="stable"):
        first, second = firsts[k], seconds[k]
        alike = shared[first, second] >= config.min_shared
        if hops[first, second] <= config.max_hops or (np.isfinite(hops[first, second]) and not alike):
            continue
        chosen[first, second] = chosen[second, first] = True
        through = hops[:, [first]] + 1 + hops[[second], :]
        hops = np.minimum(hops, np.minimum(through, through.T))


def _count_hops(adjacent: Bool[np.ndarray, "photographs photographs"]) -> np.ndarray:
    """Least number of steps between all pairs; infinite without a path."""
    num = len(adjacent)
    hops = np.where(adjacent, 1.0, np.inf)
    np.fill_diagonal(hops, 0)
    for middle in range(num):  # Floyd and Warshall
        np.minimum(hops, hops[:, [middle]] + hops[[middle], :], out=hops)
    return hops
