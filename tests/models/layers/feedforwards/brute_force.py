"""Every feed-forward layer once more, token by token, in the plainest way that its definition allows."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, silu


def of_gelu(layer, x: Tensor, group: int) -> Tensor:
    return layer.fc2.materialise() @ gelu(layer.fc1.materialise() @ x)


def of_swiglu(layer, x: Tensor, group: int) -> Tensor:
    rows, width = layer.fc1.materialise(), layer.hidden_width
    return layer.fc2.materialise() @ (silu(rows[:width] @ x) * (rows[width:] @ x))


def of_fast(layer, x: Tensor, group: int) -> Tensor:
    """Leaves by walking down from the root; all of them with their probability while trained."""
    mixture = torch.zeros_like(x)
    for path in itertools.product((0, 1), repeat=layer.depth):
        node, leaf, weight = 0, 0, 1.0
        for right in path:
            p = torch.sigmoid(layer.node_weight[node] @ x + layer.node_bias[node])
            taken = p if layer.training and not layer.finalised else (p >= 0.5).to(p)
            weight = weight * (taken if right else 1 - taken)
            node, leaf = 2 * node + 1 + right, 2 * leaf + right
        rows = slice(leaf * layer.leaf_width, (leaf + 1) * layer.leaf_width)
        hidden = layer.activation(layer.up[rows] @ x + layer.up_bias[rows])
        mixture = mixture + weight * (hidden @ layer.down[rows] + layer.down_bias.view(-1, len(x))[leaf])
    if not layer.master_width:
        return mixture
    share = torch.sigmoid(layer.mix)
    return share * mixture + (1 - share) * (gelu(layer.master_up @ x) @ layer.master_down)


def of_grouped(layer, x: Tensor, group: int) -> Tensor:
    rows = slice(group * layer.hidden_width, (group + 1) * layer.hidden_width)
    return gelu(layer.up[rows] @ x) @ layer.down[rows]


def of_routed(layer, x: Tensor, group: int) -> Tensor:
    liked = sorted(range(layer.num_experts), key=lambda index: -(layer.router[index] @ x).item())[: layer.top]
    total = torch.zeros_like(x)
    for index in liked:
        rows = slice(index * layer.slice_width, (index + 1) * layer.slice_width)
        total = total + gelu(layer.up[rows] @ x) @ layer.down[rows]
    return total * layer.num_experts / layer.top


def of_fourier(layer, x: Tensor, group: int) -> Tensor:
    h, series = layer.fc1.materialise() @ x, layer.activation
    angle = series.frequency @ layer_norm(h, h.shape) + series.phase
    waves = torch.stack(
        [
            sum(
                series.combine[unit, k] * angle[k].cos() + series.combine[unit, len(angle) + k] * angle[k].sin()
                for k in range(len(angle))
            )
            for unit in range(len(h))
        ]
    )
    return layer.fc2.materialise() @ (series.gelu_scale * gelu(h) + series.wave_scale * waves)


def of_masked_glu(layer, x: Tensor, group: int) -> Tensor:
    hidden = torch.zeros(layer.hidden_width, dtype=x.dtype)
    for mask in layer.masks().view(layer.num_masks, layer.hidden_width, -1):
        gate, value = layer.weight * mask, layer.weight * ~mask
        hidden = hidden + silu(gate @ x) * (value @ x)
    return layer.fc2.weight @ hidden


def of_peer(layer, x: Tensor, group: int) -> Tensor:
    """All pairs of sub-keys are scored, not only those of the best halves."""
    keys = layer.keys.view(layer.heads, 2, layer.side, layer.half_width)
    total = torch.zeros_like(x)
    for head, query in enumerate((layer.query.weight @ x).view(layer.heads, 2, layer.half_width)):
        scores = (keys[head, 0] @ query[0])[:, None] + (keys[head, 1] @ query[1])[None, :]
        best, experts = scores.flatten().topk(layer.top)
        for weight, expert in zip(best.softmax(dim=0), experts, strict=True):
            total = total + weight * gelu(layer.up[expert] @ x) * layer.down[expert]
    return total


def of_cdmoe(layer, x: Tensor, group: int) -> Tensor:
    return of_swiglu(layer.shared, x, group) + of_peer(layer.experts, x, group)


OF_ONE_TOKEN: dict[str, Callable[..., Tensor]] = {
    "gelu": of_gelu,
    "swiglu": of_swiglu,
    "nested": of_gelu,
    "fast": of_fast,
    "grouped": of_grouped,
    "routed": of_routed,
    "fourier": of_fourier,
    "masked_glu": of_masked_glu,
    "peer": of_peer,
    "cdmoe": of_cdmoe,
}


def brute_force(kind: str, layer, tokens: Tensor, group_ids: Tensor) -> Tensor:
    """The update of [batch, length, dim] tokens, one after the other."""
    groups = group_ids.expand(tokens.shape[:2])
    rows = [
        [OF_ONE_TOKEN[kind](layer, x, int(group)) for x, group in zip(row, ids, strict=True)]
        for row, ids in zip(layer.norm(tokens), groups, strict=True)
    ]
    return torch.stack([torch.stack(row) for row in rows])
