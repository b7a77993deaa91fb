"""Tokens gathered by group, so that every group is one matrix product."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from recon.errors import InputError


class Routing(NamedTuple):
    """Where tokens go.

    Attributes:
        order: Token indices, group by group; None if the tokens lie so already.
        inverse: Place of every token in that order; None likewise.
        counts: Tokens of each group.
    """

    order: Int[Tensor, " tokens"] | None
    inverse: Int[Tensor, " tokens"] | None
    counts: tuple[int, ...]


def route(group_ids: Int[Tensor, " tokens"], num_groups: int) -> Routing:
    """Sort tokens by group; within a group they keep their order."""
    counts = tuple(torch.bincount(group_ids, minlength=num_groups).tolist())
    if bool((group_ids[1:] >= group_ids[:-1]).all()):
        return Routing(None, None, counts)
    order = group_ids.argsort(stable=True)
    inverse = torch.empty_like(order)
    inverse[order] = torch.arange(len(order), device=order.device)
    return Routing(order, inverse, counts)


def require_groups(group_ids: Int[Tensor, "*batch length"] | None, num_groups: int) -> Int[Tensor, "*batch length"]:
    """The ids, which must be there and among 0 .. num_groups - 1.

    Raises:
        InputError: They are not.
    """
    if group_ids is None:
        raise InputError(
            "a layer with one expert for each group was given no group ids",
            hint="make them with models.layers.feedforwards.keys",
        )
    if group_ids.numel() == 0:
        return group_ids
    low, high = (int(end) for end in torch.aminmax(group_ids))
    if low < 0 or high >= num_groups:
        raise InputError(
            f"group ids go from {low} to {high}, but there are {num_groups} groups",
            hint="make as many groups as the layer has experts",
        )
    return group_ids


def by_group(
    tokens: Float[Tensor, "tokens dim"],
    routing: Routing,
    expert: Callable[[int, Float[Tensor, "group dim"]], Float[Tensor, "group out"]],
) -> Float[Tensor, "tokens out"]:
    """Apply `expert(group, its tokens)` to every group, which may have none; results in the order of the tokens."""
    gathered = tokens if routing.order is None else tokens.index_select(0, routing.order)
    slices = gathered.split(routing.counts)
    out = torch.cat([expert(group, part) for group, part in enumerate(slices)])
    return out if routing.inverse is None else out.index_select(0, routing.inverse)


def sum_of_groups(
    tokens: Float[Tensor, "tokens dim"],
    group_ids: Int[Tensor, "tokens top"],
    num_groups: int,
    expert: Callable[[int, Float[Tensor, "group dim"]], Float[Tensor, "group out"]],
) -> Float[Tensor, "tokens out"]:
    """As `by_group` for tokens that belong to several groups each; their results are added up."""
    routing = route(group_ids.flatten(), num_groups)
    places = torch.arange(group_ids.numel(), device=tokens.device) if routing.order is None else routing.order
    owners = places // group_ids.shape[1]
    parts = torch.cat(
        [expert(group, tokens.index_select(0, own)) for group, own in enumerate(owners.split(routing.counts))]
    )
    return parts.new_zeros(len(tokens), parts.shape[1]).index_add(0, owners, parts)


class RouteCache:
    """Remembers the routing of the group ids seen last: while a layout stays, sorting is done once.

    What is remembered in inference mode may be asked for in a training step, so that it is made outside of that mode.
    """

    def __init__(self) -> None:
        self._ids: Tensor | None = None
        self._routing: Routing | None = None

    def route(self, group_ids: Int[Tensor, " tokens"], num_groups: int) -> Routing:
        """As `route`, from memory if the ids are the same."""
        known = self._ids is not None and self._ids.shape == group_ids.shape and self._ids.device == group_ids.device
        if self._routing is None or not (known and torch.equal(self._ids, group_ids)):  # type: ignore[arg-type]
            with torch.inference_mode(False):
                self._routing, self._ids = route(group_ids, num_groups), group_ids.clone()
        return self._routing
