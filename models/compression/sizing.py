"""How large a structured matrix may be for a budget of numbers."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import torch

from models.layers.config import LinearConfig, LinearKind
from models.layers.linears import make_linear
from recon.errors import InputError


def config_within(
    kind: LinearKind,
    shapes: Sequence[tuple[int, int]],
    budget: float,
    *,
    blocks: int = 4,
    rank_factors: Sequence[float] | None = None,
) -> LinearConfig:
    """The largest config of a kind with which matrices of all shapes together keep within a budget.

    Args:
        kind: Kind of structured matrix.
        shapes: (in_features, out_features) of every matrix.
        budget: Share of the dense numbers that may be used, above 0 and below 1.
        blocks: Of block_dense and blast; block_shuffle takes as few as the budget allows.
        rank_factors: Rank of every matrix over that of the config; all 1 if not given.

    Raises:
        InputError: The budget is no share, or nothing of the kind fits into it.
    """
    if not 0 < budget < 1:
        raise InputError(f"budget: {budget:g}, expected a share above 0 and below 1", hint="0.5 halves the numbers")
    candidates = _candidates(kind, shapes, blocks)
    allowed = budget * sum(n * m for n, m in shapes)
    matrices = Counter(zip(shapes, rank_factors or [1.0] * len(shapes), strict=True))

    def numbers(config: LinearConfig) -> int:
        return sum(times * count_numbers(config, *shape, factor) for (shape, factor), times in matrices.items())

    low, high = 0, len(candidates)  # candidates below `low` fit, from `high` on they do not
    while low < high:
        middle = (low + high) // 2
        if numbers(candidates[middle]) <= allowed:
            low = middle + 1
        else:
            high = middle
    if low == 0:
        raise InputError(
            f"no {kind} fits into {budget:g} of the {sum(n * m for n, m in shapes)} numbers of {len(shapes)} matrices",
            hint="raise the budget, or choose another kind",
        )
    return candidates[low - 1]


def count_numbers(config: LinearConfig, in_features: int, out_features: int, rank_factor: float = 1.0) -> int:
    """Numbers of a matrix of that config, without the bias, at some times its rank but full rank at most."""
    if rank_factor != 1:
        config = replace(config, rank=min(1.0, config.rank * rank_factor))
    with torch.device("meta"):
        return sum(core.numel() for core, _ in make_linear(config, in_features, out_features).cores())


def _candidates(kind: LinearKind, shapes: Sequence[tuple[int, int]], blocks: int) -> list[LinearConfig]:
    """Configs of a kind from small to large."""
    sides = [side for shape in shapes for side in shape]
    smallest = min(sides)
    if kind == "block_shuffle":
        common = math.gcd(*sides)
        return [LinearConfig(kind, blocks=k) for k in range(common, 1, -1) if common % k == 0]
    if kind == "btt":
        return [LinearConfig(kind, rank=float(rank)) for rank in range(1, math.isqrt(smallest) + 1)]
    if kind in ("lowrank", "block_dense", "blast"):
        step = blocks if kind == "block_dense" else 1
        return [LinearConfig(kind, blocks=blocks, rank=rank / smallest) for rank in range(step, smallest + 1, step)]
    raise InputError(
        f"kind: {kind}, expected a structured one", hint="lowrank, block_shuffle, block_dense, btt or blast"
    )
