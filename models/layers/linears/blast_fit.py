"""Factors of a BLAST matrix that come near a dense one."""

import torch
from jaxtyping import Float
from torch import Tensor


def fit_blast(
    weight: Float[Tensor, "out_features in_features"],
    left: Float[Tensor, "rows height rank"],
    right: Float[Tensor, "columns rank width"],
    diagonal: Float[Tensor, "rows columns rank"],
    *,
    sweeps: int = 200,
) -> tuple[Tensor, Tensor, Tensor]:
    """Damped alternating least squares from given factors, after Lee et al. (2024).

    Every factor in turn takes a gradient step of the squared error, preconditioned by the inverse of its Gram matrix
    plus 0.01 sqrt(error). The paper shrinks its steps from 1 to 0 and starts from small random factors; with whole
    steps no sweep makes the error larger, so that from a truncated decomposition the fit never is worse than that. It
    ends when a sweep takes less than 1e-4 off the error.

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
    transposed = blocks.permute(1, 0, 3, 2)
    previous = float("inf")
    for _ in range(sweeps):
        left = _step_left(blocks, left, right, diagonal)
        right = _step_left(transposed, right.mT, left.mT, diagonal.transpose(0, 1)).mT
        diagonal, error = _step_diagonal(blocks, left, right, diagonal)
        if error > previous * (1 - 1e-4):
            break
        previous = error
    return left, right, diagonal


def _step_left(blocks: Tensor, left: Tensor, right: Tensor, diagonal: Tensor) -> Tensor:
    """A step of `left` [i, p, r] towards blocks [i, j, p, q] = left_i diag(diagonal_ij) right_j."""
    joined = (diagonal[..., None] * right).transpose(1, 2).flatten(2)
    rows = blocks.transpose(1, 2).flatten(2)
    residual = left @ joined - rows
    gram = joined @ joined.mT + _damping(residual, joined.shape[1])
    return left - torch.linalg.solve(gram, residual @ joined.mT, left=False)


def _step_diagonal(blocks: Tensor, left: Tensor, right: Tensor, diagonal: Tensor) -> tuple[Tensor, float]:
    """The same for the diagonals, every pair of blocks by itself; and the error before it."""
    residual = (left[:, None] * diagonal[:, :, None]) @ right - blocks
    gradient = torch.einsum("ipr, ijpq, jrq -> ijr", left, residual, right)
    gram = (left.mT @ left)[:, None] * (right @ right.mT) + _damping(residual, right.shape[1])
    return diagonal - torch.linalg.solve(gram, gradient), float(residual.norm())


def _damping(residual: Tensor, rank: int) -> Tensor:
    """0.01 sqrt(error) on the diagonal; a little more than nothing where the fit is exact."""
    error = residual.norm().clamp(min=1e-6 * residual.numel() ** 0.5)
    return 0.01 * error * torch.eye(rank, dtype=residual.dtype, device=residual.device)
