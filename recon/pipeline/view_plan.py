"""Which views the network is given, in which groups, and which are left for refinement."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

FEWEST_TO_HOLD_ONE_BACK = 5
"""Views from which one is held back from refinement."""
FEWEST_TO_SPARE_ONE = 8
"""Views from which the one that is held back is kept from the network too."""


@dataclass(frozen=True)
class ViewPlan:
    """Indices of views.

    Attributes:
        groups: Views that the network sees together, at least two; groups follow one another along the capture. What
            would be a group of one takes the last view of the group before as well.
        rest: Views that only refinement uses.
        held_back: The view that refinement is measured on and does not fit, or None.
    """

    groups: tuple[tuple[int, ...], ...]
    rest: tuple[int, ...]
    held_back: int | None

    @property
    def chosen(self) -> tuple[int, ...]:
        """All views that the network sees, ascending."""
        return tuple(sorted({i for group in self.groups for i in group}))


def plan_views(overlap: Float[Tensor, "views views"], most: int, group_size: int, *, refining: bool) -> ViewPlan:
    """Choose views for coverage, group neighbours, and hold one back to measure refinement with.

    Args:
        overlap: Share of its picture that each view has in common with each other one.
        most: Views that the network is given at most.
        group_size: Views that it is given at most at a time, at least 2.
        refining: Whether there will be refinement.
    """
    num = len(overlap)
    held_back = most_redundant(overlap) if refining and num >= FEWEST_TO_HOLD_ONE_BACK else None
    spared = held_back if num >= FEWEST_TO_SPARE_ONE else None
    candidates = [i for i in range(num) if i != spared]
    chosen = [candidates[i] for i in choose_for_coverage(overlap[candidates][:, candidates], most)]
    walk = walk_through(overlap, chosen)
    num_groups = -(-len(walk) // group_size)
    bounds = [round(i * len(walk) / num_groups) for i in range(num_groups + 1)]
    groups = tuple(tuple(sorted(walk[min(a, b - 2) : b])) for a, b in pairwise(bounds))
    rest = tuple(i for i in candidates if i not in set(chosen) and i != held_back)
    return ViewPlan(groups, rest, held_back)


def most_redundant(overlap: Float[Tensor, "views views"]) -> int:
    """The view that two others show best between them: of all views the one with the largest second best overlap."""
    others = overlap.clone().fill_diagonal_(-1)
    return int(others.sort(dim=1, descending=True).values[:, 1].argmax())


def choose_for_coverage(overlap: Float[Tensor, "views views"], most: int) -> list[int]:
    """Views that together show most of what all views show, ascending.

    Greedy for the sum, over all views, of the largest overlap with a chosen one (facility location; the greedy choice
    is within 1 - 1/e of the best, Nemhauser et al. 1978).
    """
    num = len(overlap)
    if num <= most:
        return list(range(num))
    chosen: list[int] = []
    covered = torch.zeros(num, dtype=overlap.dtype, device=overlap.device)
    for _ in range(most):
        gain = (overlap - covered[:, None]).clamp(min=0).sum(0)
        gain[chosen] = -1
        best = int(gain.argmax())
        chosen.append(best)
        covered = torch.maximum(covered, overlap[:, best])
    return sorted(chosen)


def walk_through(overlap: Float[Tensor, "views views"], chosen: list[int]) -> list[int]:
    """The chosen views in an order in which neighbours overlap: from an outer one always on to the nearest left."""
    common = overlap[chosen][:, chosen]
    current = int(common.sum(1).argmin())
    order, left = [current], set(range(len(chosen))) - {current}
    while left:
        current = max(sorted(left), key=lambda i: float(common[current, i]))
        order.append(current)
        left.remove(current)
    return [chosen[i] for i in order]
