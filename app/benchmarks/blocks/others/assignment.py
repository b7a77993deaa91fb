"""Sinkhorn's iteration beside a softmax: which feature of one picture is which of another."""

import time
from statistics import median
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from models.layers.sinkhorn import sinkhorn

NUM, CHANNELS, TRIES = 256, 32, 20
NOISE = 0.8
"""Length of the noise of a feature over that of the feature."""
SHARPNESS = 16.0
STEPS = (1, 3, 5, 21)
"""1 is the softmax over the features of the other picture."""


def measure() -> dict[str, Any]:
    """Share of the features that get their partner, of two noisy copies of the same features in other orders.

    Returns:
        "found": number of normalisations -> share in 0..1, mean over drawn sets; "milliseconds": the same -> median.
    """
    generator = torch.Generator().manual_seed(0)
    found: dict[str, list[float]] = {str(steps): [] for steps in STEPS}
    times: dict[str, list[float]] = {str(steps): [] for steps in STEPS}
    for _ in range(TRIES):
        scores, partner = _scores(generator)
        for steps in STEPS:
            begin = time.perf_counter()
            assigned = sinkhorn(scores, steps)
            times[str(steps)].append(1000 * (time.perf_counter() - begin))
            found[str(steps)].append(float((assigned.argmax(1) == partner).float().mean()))
    return {
        "found": {key: sum(values) / len(values) for key, values in found.items()},
        "milliseconds": {key: median(values) for key, values in times.items()},
    }


def _scores(generator: torch.Generator) -> tuple[Float[Tensor, "num num"], Float[Tensor, " num"]]:
    """Similarities of the features of two pictures, and the partner of each feature of the first."""
    truth = normalize(torch.randn(NUM, CHANNELS, generator=generator), dim=1)
    noise = NOISE / CHANNELS**0.5 * torch.randn(2, NUM, CHANNELS, generator=generator)
    order = torch.randperm(NUM, generator=generator)
    first, second = normalize(truth + noise[0], dim=1), normalize(truth[order] + noise[1], dim=1)
    return SHARPNESS * first @ second.T, order.argsort()
