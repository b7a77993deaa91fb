"""How many of its directions a matrix, or the activations of a layer, really use."""

import torch
from jaxtyping import Float
from torch import Tensor


def hard_rank(eigenvalues: Float[Tensor, " n"]) -> float:
    """Participation ratio (sum of l)^2 / sum of l^2: dominated by the largest eigenvalues.

    Args:
        eigenvalues: Not negative: of a covariance, or squared singular values.

    Returns:
        1 for one direction, n for n equal ones, 0 if there is nothing at all.
    """
    values = _positive(eigenvalues)
    return float(values.sum().square() / values.square().sum()) if len(values) else 0.0


def soft_rank(eigenvalues: Float[Tensor, " n"]) -> float:
    """Exponential of the entropy of l / sum of l: small eigenvalues count too (Roy and Vetterli 2007).

    Args as those of `hard_rank`, and results for the same cases.
    """
    values = _positive(eigenvalues)
    if not len(values):
        return 0.0
    shares = values / values.sum()
    return float((-(shares * shares.log()).sum()).exp())


def squared_singular_values(matrix: Float[Tensor, "rows columns"]) -> Float[Tensor, " n"]:
    """Eigenvalues of the smaller of W W^T and W^T W, largest first, in float64."""
    return torch.linalg.svdvals(matrix.detach().double()).square()


def _positive(eigenvalues: Tensor) -> Tensor:
    """Relative to the largest, so that squares neither overflow nor vanish."""
    values = eigenvalues.detach().double().clamp(min=0)
    largest = values.max() if len(values) else values.new_zeros(())
    values = values / largest if largest > 0 else values.new_empty(0)
    return values[values > 0]
