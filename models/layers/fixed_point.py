"""The same layer again and again, until it changes little: weight-tied refinement."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class Refined(NamedTuple):
    """Where repeating ended.

    Attributes:
        tokens: The last state.
        steps: How often the layer ran.
        change: Relative change of each scene in the last step that it took part in.
    """

    tokens: Float[Tensor, "batch *rest"]
    steps: int
    change: Float[Tensor, " batch"]


def refine(
    step: Callable[[Tensor], Tensor],
    tokens: Float[Tensor, "batch *rest"],
    repeat: int,
    stop: float = 0.0,
) -> Refined:
    """Apply a step up to `repeat` times; a scene whose change falls below `stop` keeps its state from then on.

    The change is |step(z) - z| / |z|. Each scene ends when it would end alone, whatever else is in the batch. It is an
    idea of deep equilibrium models (Sittoni and Tudisco 2024); their conditions for one fixed point do not hold for
    attention, so nothing is promised about convergence.

    Args:
        step: The layer with its residual connection.
        tokens: State of every scene.
        repeat: Steps at most; at least one runs.
        stop: Relative change; 0 runs all steps.
    """
    running = torch.ones(len(tokens), dtype=torch.bool, device=tokens.device)
    change = torch.full((len(tokens),), torch.inf, device=tokens.device)
    shape = (-1, *[1] * (tokens.ndim - 1))
    for count in range(1, repeat + 1):
        updated = step(tokens)
        if stop <= 0:
            tokens = updated
            continue
        change = torch.where(running, relative_change(updated, before=tokens), change)
        tokens = torch.where(running.view(shape), updated, tokens)
        running = running & (change >= stop)
        if not running.any():
            return Refined(tokens, count, change)
    return Refined(tokens, repeat, change)


def relative_change(
    after: Float[Tensor, "batch *rest"], before: Float[Tensor, "batch *rest"]
) -> Float[Tensor, " batch"]:
    """|after - before| / |before| of every scene."""
    difference = (after.detach().float() - before.detach().float()).flatten(1).norm(dim=1)
    return difference / before.detach().float().flatten(1).norm(dim=1).clamp(min=1e-12)
