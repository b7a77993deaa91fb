"""In which order the captures of an epoch are visited."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int

from recon.data.captures.capture import CaptureSource

TOGETHER = 4
"""Groups that are mixed with each other; readers keep as many open."""


@runtime_checkable
class Grouped(Protocol):
    """A data set whose captures come in groups that are opened together, such as the chunks of RealEstate10K."""

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Indices of the captures of each group; every capture is in one."""
        ...


def epoch_order(source: CaptureSource, rng: np.random.Generator) -> Int[np.ndarray, " captures"]:
    """All captures once, in random order.

    Where opening a group costs time, a few groups at a time, drawn by chance, are mixed and visited before the next
    ones, so that each process opens each once in an epoch.
    """
    if not isinstance(source, Grouped):
        return rng.permutation(len(source))
    groups = [np.array(group) for group in source.groups]
    order = rng.permutation(len(groups))
    pools = [order[i : i + TOGETHER] for i in range(0, len(order), TOGETHER)]
    return np.concatenate([rng.permutation(np.concatenate([groups[g] for g in pool])) for pool in pools])
