"""Exponent of the tail of a matrix's spectrum, fair between shapes.

The spectrum of a random matrix depends on its aspect ratio (Marchenko-Pastur), and so does any exponent that is fitted
to it. FARMS (Hu et al. 2025) therefore looks through windows of one aspect ratio, here square ones, pools the
eigenvalues of all of them, and fits one tail.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

SIDE = 128
"""Of a window; that of a smaller matrix is its shorter side."""
MAX_POSITIONS = 8
"""Of the window along a side of the matrix."""


def heavy_tail_exponent(matrix: Float[Tensor, "rows columns"], side: int = SIDE) -> float | None:
    """Exponent a of the density l^-a of the eigenvalues of W^T W; smaller is a heavier tail.

    Windows overlap by half, or lie evenly spread where that would be more than `MAX_POSITIONS` of them.

    Args:
        matrix: A layer.
        side: Rows and columns of a window, at most.

    Returns:
        As `hill_exponent`.
    """
    own = min(side, *matrix.shape)
    weight = matrix.detach().double()
    windows = [
        weight[top : top + own, left : left + own]
        for top in _positions(matrix.shape[0], own)
        for left in _positions(matrix.shape[1], own)
    ]
    return hill_exponent(torch.linalg.svdvals(torch.stack(windows)).square().flatten())


def hill_exponent(eigenvalues: Float[Tensor, " n"]) -> float | None:
    """Hill's estimate from the upper half: 1 + k / sum of ln(l_i / median), over the k largest of n = 2k.

    Returns:
        None with fewer than four eigenvalues that are not zero; infinity if the upper half are all equal.
    """
    values = eigenvalues.detach().double().sort(descending=True).values
    if not len(values) or values[0] <= 0:
        return None
    values = values[values > values[0] * len(values) * torch.finfo(torch.float64).eps]
    if len(values) < 4:
        return None
    k = len(values) // 2
    logs = float((values[:k] / values[k]).log().sum())
    return 1 + k / logs if logs > 1e-9 * k else math.inf


def _positions(length: int, side: int) -> list[int]:
    """First rows (or columns) of the windows: from one border to the other."""
    if length == side:
        return [0]
    count = min(MAX_POSITIONS, -(-2 * length // side) - 1)
    return [round(i * (length - side) / (count - 1)) for i in range(count)]
