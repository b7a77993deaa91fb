"""Factors of a BLAST matrix that come near a dense one."""

import torch
from jaxtyping import Float
from torch import Tensor

LEAST_GAIN = 3e-4
"""Share of the error that a sweep has to take off for another one to follow."""


def fit_blast(
    weight: Float[Tensor, "out_features in_features"],
    left: Float[Tensor, "rows height rank"],
    right: Float[Tensor, "columns rank width"],
    diagonal: Float[Tensor, "rows columns rank"],
    *,
    sweeps: int = 200,
) -> tuple[Tensor, Tensor, Tensor]:
    """Damped alternating least squares from given factors, after Lee et al. (2024).

    The paper lets every factor in turn take a gradient step of the squared error, preconditioned by the inverse of its
    Gram matrix plus a multiple of sqrt(error), with steps that shrink from 1 to 0, from small random factors. Whole
    steps are least squares with a pull to the factor before; no sweep then makes the error larger, so that from a
    truncated decomposition the fit never is worse than that.

    Args:
        weight: The matrix, of about unit variance.
        left: Factors of the block rows.
        right: Factors of the block columns.
        diagonal: What joins the two.
        sweeps: Times that every factor takes a step, at most.

    Returns:
        The three factors.
    """
    blocks = weight.unflatten(0, (left.shape[0], -1)).unflatten(2, (right.shape[0], -1)).transpose(1, 2)
    rows, columns = blocks.transpose(1, 2).flatten(2), blocks.permute(1, 3, 0, 2).flatten(2)
    square = float(weight.double().square().sum())
    error = square**0.5
    for _ in range(sweeps):
        pull = 0.01 * max(error, 1e-6 * square**0.5)
        left = _step(rows, left, right, diagonal, pull)
        right = _step(columns, right.mT, left.mT, diagonal.transpose(0, 1), pull).mT
        diagonal, explained = _step_diagonal(blocks, left, right, diagonal, pull)
        previous, error = error, max(square - explained, 0.0) ** 0.5
        if error > previous * (1 - LEAST_GAIN):
            break
    return left, right, diagonal


def _step(rows: Tensor, left: Tensor, right: Tensor, diagonal: Tensor, pull: float) -> Tensor:
    """`left` [i, p, r] so that left_i [diagonal_i1 right_1, diagonal_i2 right_2, ...] comes near rows_i."""
    joined = (diagonal[..., None] * right).transpose(1, 2).flatten(2)
    return _solve(joined @ joined.mT, (rows @ joined.mT).mT, left.mT, pull).mT


def _step_diagonal(blocks: Tensor, left: Tensor, right: Tensor, diagonal: Tensor, pull: float) -> tuple[Tensor, float]:
    """The diagonals, every pair of blocks by itself; and what the fit takes off the sum of squares."""
    gram = (left.mT @ left)[:, None] * (right @ right.mT)
    target = ((left.mT[:, None] @ blocks) * right).sum(-1)
    fitted = _solve(gram, target[..., None], diagonal[..., None], pull)
    explained = (2 * target.double() - (gram @ fitted)[..., 0].double()) * fitted[..., 0].double()
    return fitted[..., 0], float(explained.sum())


def _solve(gram: Tensor, target: Tensor, before: Tensor, pull: float) -> Tensor:
    """Solve gram x = target, pulled to the x before; the pull is at least what makes the factorisation safe."""
    rank, precision = gram.shape[-1], torch.finfo(gram.dtype)
    pull += max(rank * precision.eps * float(gram.diagonal(dim1=-2, dim2=-1).max()), precision.tiny)
    damped = gram + pull * torch.eye(rank, dtype=gram.dtype, device=gram.device)
    return torch.cholesky_solve(target + pull * before, torch.linalg.cholesky(damped))
