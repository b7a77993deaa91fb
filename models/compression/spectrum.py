"""Pruning single entries of a matrix: by size, or so that its spectrum moves least."""

import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import InputError

Matrix = Float[Tensor, "rows columns"]


def keep_magnitude(weight: Matrix, keep: float) -> Matrix:
    """The matrix with all but a share of its largest entries set to zero."""
    return _keep_highest(weight, weight.abs(), keep)


def keep_spectrum(weight: Matrix, keep: float, *, modes: int | None = None) -> Matrix:
    """The matrix with a share of its entries, chosen so that its leading singular values move little.

    Without entry w_ij the k-th singular value moves by u_ik w_ij v_jk to first order; summed over the leading modes
    that is at most |w_ij| sqrt(leverage of row i times leverage of column j), by which entries are ranked. A baseline:
    pruning as preserving a spectrum (Yao, Yu and Koutis) in its simplest, deterministic form.

    Args:
        weight: Matrix.
        keep: Share of the entries that stay, above 0 and at most 1.
        modes: Leading singular values that count; those that hold 90 % of the sum of squares unless said.

    Raises:
        InputError: `keep` is no share.
    """
    left, values, right = torch.linalg.svd(
        weight.to(torch.promote_types(weight.dtype, torch.float32)), full_matrices=False
    )
    if modes is None:
        energy = values.square().cumsum(0)
        modes = int((energy < 0.9 * energy[-1]).sum()) + 1
    rows, columns = left[:, :modes].square().sum(1), right[:modes].square().sum(0)
    return _keep_highest(weight, weight.abs() * (rows[:, None] * columns).sqrt(), keep)


def _keep_highest(weight: Tensor, score: Tensor, keep: float) -> Tensor:
    if not 0 < keep <= 1:
        raise InputError(
            f"keep: {keep:g}, expected a share above 0 and at most 1", hint="0.5 drops half of the entries"
        )
    kept = max(round(keep * weight.numel()), 1)
    mask = torch.zeros(weight.numel(), dtype=torch.bool, device=weight.device)
    mask[score.flatten().topk(kept).indices] = True
    return torch.where(mask.view_as(weight), weight, 0)
