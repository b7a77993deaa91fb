"""Every kind of attention, written out as loops over heads, queries and keys or over places of a map."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, softplus

from models.layers.attentions.grouped_projection import GroupedProjection
from models.layers.contracts import Layout


def heads_of(x: Tensor, head_dim: int) -> Tensor:
    """[tokens, heads, channels] of one sequence."""
    return x.view(len(x), -1, head_dim)


def normed_heads(layer: nn.Module, x: Tensor, norm: str) -> Tensor:
    return getattr(layer, norm)(heads_of(x, layer.head_dim))


def answers(
    layer: nn.Module, q: Tensor, k: Tensor, v: Tensor, sees: Callable[[int, int], list[int]], bias: Tensor | None = None
) -> Tensor:
    """What every query gets; `sees(head, query)` lists the keys. Registers are seen by all, with a bias of 1 if any."""
    out = torch.zeros_like(q)
    for h in range(q.shape[1]):
        keys, values = [], []
        if layer.registers is not None:
            _, count, channels = layer.registers.keys.shape
            keys += list(layer.registers.keys[h] * math.sqrt(channels))
            values += list(layer.registers.values[h] * math.sqrt(count))
        for i in range(len(q)):
            own = sees(h, i)
            all_keys = torch.stack(keys + [k[j, h] for j in own])
            added = torch.zeros(len(all_keys), dtype=q.dtype)
            if bias is not None:
                added = torch.cat([added[: len(keys)] + 1, bias[h, own]])
            weights = ((all_keys @ q[i, h]) / math.sqrt(q.shape[2]) + added).softmax(0)
            out[i, h] = weights @ torch.stack(values + [v[j, h] for j in own])
    return out.flatten(1)


def projected(part: nn.Module, x: Tensor) -> Tensor:
    """Tokens through a matrix; where each group has its own, token i is of group i modulo their number."""
    if not isinstance(part, GroupedProjection):
        return x @ part.weight.T
    matrices = part.weight.chunk(part.num_experts)
    return torch.stack([matrices[i % len(matrices)] @ token for i, token in enumerate(x)])


def split(layer: nn.Module, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    q, k, v = projected(layer.qkv, x).chunk(3, dim=1)
    return normed_heads(layer, q, "q_norm"), normed_heads(layer, k, "k_norm"), heads_of(v, layer.head_dim)


def full(layer: nn.Module, x: Tensor, layout: Layout) -> Tensor:
    q, k, v = split(layer, x)
    return projected(layer.proj, answers(layer, q, k, v, lambda h, i: list(range(len(x)))))


def per_view(layer: nn.Module, x: Tensor, layout: Layout) -> Tensor:
    q, k, v = split(layer, x)
    area = layout.height * layout.width

    def view(i: int) -> int:
        return -1 if i < layout.prefix else (i - layout.prefix) // area

    def sees(h: int, i: int) -> list[int]:
        return [j for j in range(len(x)) if -1 in (view(i), view(j)) or view(i) == view(j)]

    return projected(layer.proj, answers(layer, q, k, v, sees))


def pruned_keys(layer: nn.Module, x: Tensor, layout: Layout) -> Tensor:
    q, k, v = split(layer, x)
    logits = v.flatten(1) @ layer.key_gate.weight.T + layer.key_gate.bias
    gates = torch.exp(layer.gate_strength * softplus(logits)).T
    count = len(x) if layer.training else math.ceil(layer.keep * len(x))
    best = [sorted(range(len(x)), key=lambda j, g=row: -float(g[j].detach()))[:count] for row in gates]
    return projected(layer.proj, answers(layer, q, k, v, lambda h, i: best[h], gates))


def cells_of(x: Tensor, layout: Layout, pool: int) -> tuple[Tensor, list[int]]:
    """Prefix and averages of cells, and the index of the cell of every token."""
    groups: dict[tuple[int, ...], list[int]] = {(-1, i): [i] for i in range(layout.prefix)}
    for view in range(layout.views):
        for row in range(layout.height):
            for column in range(layout.width):
                token = layout.prefix + (view * layout.height + row) * layout.width + column
                groups.setdefault((view, row // pool, column // pool), []).append(token)
    cell = [0] * len(x)
    for index, tokens in enumerate(groups.values()):
        for token in tokens:
            cell[token] = index
    return torch.stack([x[tokens].mean(0) for tokens in groups.values()]), cell


def pooled_keys(layer: nn.Module, x: Tensor, layout: Layout) -> Tensor:
    cells, _ = cells_of(x, layout, layer.pool)
    q = normed_heads(layer, x @ layer.q.weight.T, "q_norm")
    k = normed_heads(layer, cells @ layer.k.weight.T, "k_norm")
    v = heads_of(cells @ layer.v.weight.T, layer.head_dim)
    return answers(layer, q, k, v, lambda h, i: list(range(len(cells)))) @ layer.proj.weight.T


def neighbours(layout: Layout, token: int) -> list[tuple[int, int, int]]:
    """(token, row of the filter, column of the filter) of the 3 x 3 neighbours in the same view."""
    view, place = divmod(token - layout.prefix, layout.height * layout.width)
    row, column = divmod(place, layout.width)
    found = []
    for r in range(3):
        for c in range(3):
            y, x = row + r - 1, column + c - 1
            if 0 <= y < layout.height and 0 <= x < layout.width:
                found.append((layout.prefix + (view * layout.height + y) * layout.width + x, r, c))
    return found


def filtered(x: Tensor, taps: Tensor, layout: Layout) -> Tensor:
    """A 3 x 3 filter of each channel; tokens of the prefix give zero."""
    out = torch.zeros_like(x)
    for token in range(layout.prefix, len(x)):
        out[token] = sum(taps[:, 0, r, c] * x[j] for j, r, c in neighbours(layout, token))
    return out


def inception(layer: nn.Module, x: Tensor, layout: Layout) -> Tensor:
    low, middle, last = x.split(layer.widths, dim=1)
    cells, cell = cells_of(low, layout, layer.pool)
    low = full(layer.attend, cells, layout)[cell]
    middle = gelu(filtered(middle @ layer.filter_in.weight.T, layer.filter.weight, layout))
    peaks = torch.zeros_like(last)
    for token in range(layout.prefix, len(x)):
        peaks[token] = torch.stack([last[j] for j, _, _ in neighbours(layout, token)]).amax(0)
    last = gelu(peaks @ layer.peak_out.weight.T)
    joined = torch.cat([low, middle, last], dim=1)
    return (joined + filtered(joined, layer.fuse.weight, layout)) @ layer.proj.weight.T


def causal(tree: nn.Module, steps: list[Tensor]) -> list[Tensor]:
    """The dilated tree along one list of steps."""

    def convolve(values: list[Tensor], taps: Tensor, dilation: int) -> list[Tensor]:
        terms = [[(t, n - t * dilation) for t in range(len(taps)) if n >= t * dilation] for n in range(len(values))]
        return [sum(taps[t] * values[j] for t, j in row) for row in terms]

    out, approximation = [tree.weights[0] * x for x in steps], steps
    for level in range(tree.levels):
        detail = convolve(approximation, tree.high, 2**level)
        out = [a + tree.weights[level + 1] * b for a, b in zip(out, detail, strict=True)]
        approximation = convolve(approximation, tree.low, 2**level)
    return [a + tree.weights[-1] * b for a, b in zip(out, approximation, strict=True)]


def multires_conv(layer: nn.Module, x: Tensor, layout: Layout) -> Tensor:
    area = layout.height * layout.width
    sequences = [[i] for i in range(layout.prefix)]
    sequences += [[layout.prefix + view * area + p for view in range(layout.views)] for p in range(area)]
    out = torch.zeros_like(x)
    for tokens in sequences:
        ahead = causal(layer.ahead, [x[i] for i in tokens])
        back = causal(layer.back, [x[i] for i in tokens[::-1]])[::-1]
        for token, a, b in zip(tokens, ahead, back, strict=True):
            out[token] = a + b
    return gelu(out) @ layer.proj.weight.T


ORACLES: dict[str, Callable[[nn.Module, Tensor, Layout], Tensor]] = {
    "full": full,
    "per_view": per_view,
    "pruned_keys": pruned_keys,
    "pooled_keys": pooled_keys,
    "inception": inception,
    "multires_conv": multires_conv,
}
"""Name in ATTENTIONS -> the update of one sequence of normed tokens [length, dim]."""
