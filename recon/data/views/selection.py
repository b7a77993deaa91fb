"""Which frames of an ordered capture are given to the network and which it must predict."""

from typing import NamedTuple

import numpy as np

from recon.errors import InputError


class ViewSelection(NamedTuple):
    """Frame indices of one training sample."""

    context: list[int]
    target: list[int]


def sample_views(num_frames: int, num_context: int, num_targets: int, rng: np.random.Generator) -> ViewSelection:
    """Context frames spread over a random span of the capture; targets drawn from all other frames of the span.

    The span is at least as long as the context and one target need; long spans, which are harder, come more often
    (the longer of two uniform draws). When too few other frames lie inside the span,
    neighbours outside it are used (slight extrapolation).

    Args:
        num_frames: Frames of the capture.
        num_context: Frames given.
        num_targets: Frames to predict.
        rng: Source of randomness.

    Raises:
        InputError: Fewer than two frames would be given, or the capture has fewer than given and wanted together.
    """
    if num_context < 2:
        raise InputError(f"{num_context} context frames, expected at least 2")
    if num_frames < num_context + max(num_targets, 1):
        raise InputError(
            f"{num_frames} frames, expected at least {num_context + max(num_targets, 1)}: {num_context} that are given "
            f"and {num_targets} to predict",
            hint="lower num_context or num_targets, or render scenes with more views",
        )
    length = int(rng.integers(num_context + 1, num_frames + 1, 2).max())
    start = int(rng.integers(0, num_frames - length + 1))
    inner = rng.choice(np.arange(start + 1, start + length - 1), num_context - 2, replace=False)
    context = sorted({start, start + length - 1, *(int(i) for i in inner)})
    if num_context > 2 and rng.random() < 0.5:
        context = sorted({round(i) for i in np.linspace(start, start + length - 1, num_context)})
    rest = [i for i in range(start, start + length) if i not in context]
    outside = [i for i in range(num_frames) if i not in context and i not in rest]
    outside.sort(key=lambda i: min(abs(i - c) for c in context))
    chosen = [int(i) for i in rng.permutation(rest)[:num_targets]]
    return ViewSelection(context, chosen + outside[: num_targets - len(chosen)])
