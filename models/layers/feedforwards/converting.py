"""From a trained dense layer to experts: hidden units that fire together go into one expert."""

import copy
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from models.layers.feedforwards.gelu import GeluFeedForward
from models.layers.feedforwards.routed import RoutedFeedForward
from models.layers.linears.dense import Dense


@torch.no_grad()
def routed_from_dense(
    layer: GeluFeedForward,
    normed: Float[Tensor, "*batch dim"],
    experts: int,
    *,
    top: int | None = None,
    generator: torch.Generator,
) -> RoutedFeedForward:
    """Cut a trained layer of plain matrices without biases into experts.

    With all experts chosen the result computes what the layer did. The router starts with the mean direction of the
    tokens for which each expert does most, and wants training on the prior loss.

    Args:
        layer: The dense layer.
        normed: Calibration tokens, after the norm of the layer; a few thousand.
        experts: Number of experts.
        top: Experts that a token takes; None for half of them.
        generator: Randomness of the clustering.

    Raises:
        InputError: The experts do not divide the hidden width.
    """
    fc1, fc2 = cast(Dense, layer.fc1), cast(Dense, layer.fc2)
    normed = normed.flatten(0, -2)
    routed = RoutedFeedForward(fc1.in_features, layer.hidden_width / fc1.in_features, experts, top=top)
    routed = routed.to(fc1.weight.device, fc1.weight.dtype)
    routed.norm = copy.deepcopy(layer.norm)
    cluster = balanced_clusters(layer.hidden(normed).abs().T, experts, generator=generator)
    order = cluster.argsort(stable=True)
    routed.up.copy_(fc1.weight[order])
    routed.down.copy_(fc2.weight.T[order])
    routed.router.copy_(_first_router(routed, normed))
    return routed.train(layer.training)


@torch.no_grad()
def balanced_clusters(
    points: Float[Tensor, "points features"], clusters: int, *, sweeps: int = 10, generator: torch.Generator
) -> Int[Tensor, " points"]:
    """k-means on the sphere with clusters of equal size.

    In every sweep the points choose in the order of what they lose by a second choice; full clusters take no more.

    Args:
        points: Number of points is a multiple of `clusters`.
        clusters: Number of clusters.
        sweeps: Rounds of assigning and averaging.
        generator: Chooses the first centres.
    """
    unit = torch.nn.functional.normalize(points.float(), dim=-1)
    centres = unit[torch.randperm(len(unit), generator=generator)[:clusters]]
    labels = torch.zeros(len(unit), dtype=torch.long)
    for _ in range(sweeps):
        labels = _assign(1 - unit @ centres.T)
        means = torch.stack([unit[labels == cluster].mean(dim=0) for cluster in range(clusters)])
        centres = torch.nn.functional.normalize(means, dim=-1)
    return labels


def _assign(cost: Float[Tensor, "points clusters"]) -> Int[Tensor, " points"]:
    """Cheapest cluster that still has room, those with most to lose first."""
    table = cost.cpu().numpy()
    room = np.full(table.shape[1], len(table) // table.shape[1])
    ranked = np.sort(table, axis=1)
    regret = ranked[:, min(1, table.shape[1] - 1)] - ranked[:, 0]
    labels = np.empty(len(table), dtype=np.int64)
    for point in np.argsort(-regret, kind="stable"):
        labels[point] = np.where(room > 0, table[point], np.inf).argmin()
        room[labels[point]] -= 1
    return torch.from_numpy(labels).to(cost.device)


def _first_router(routed: RoutedFeedForward, normed: Float[Tensor, "tokens dim"]) -> Float[Tensor, "experts dim"]:
    """Unit mean of the tokens for which each expert's update is the longest."""
    lengths = torch.stack(
        [routed.slice_update(index, normed).norm(dim=-1) for index in range(routed.num_experts)], dim=-1
    )
    longest = torch.nn.functional.one_hot(lengths.argmax(dim=-1), routed.num_experts).to(normed.dtype)
    return torch.nn.functional.normalize(longest.T @ normed, dim=-1)
