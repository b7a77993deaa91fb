"""Assignment of two sets to each other, for heads that match views or features."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import InputError


def log_sinkhorn(scores: Float[Tensor, "*batch rows columns"], steps: int = 5) -> Float[Tensor, "*batch rows columns"]:
    """Log of the matrix exp(scores + f + g) whose rows sum to 1 and whose columns share the rows evenly.

    Rows and columns are normalised in turn, in logarithms (Sander et al. 2022, section 3). The last step normalises
    rows, so row sums are exact; column sums come near rows / columns with more steps. Gradients flow through the
    potentials of rows and columns both.

    Args:
        scores: Similarities; for features of c channels, dot products over sqrt(c).
        steps: Odd number of normalisations; 1 is the softmax over columns.

    Raises:
        InputError: The number of steps is even or below 1.
    """
    if steps < 1 or steps % 2 == 0:
        raise InputError(f"{steps} Sinkhorn steps, expected an odd number", hint="the last step is to be one of rows")
    rows, columns = scores.shape[-2:]
    share = math.log(rows / columns) if rows and columns else 0.0
    of_columns = torch.zeros_like(scores[..., :1, :])
    of_rows = -scores.logsumexp(dim=-1, keepdim=True)
    for _ in range(steps // 2):
        of_columns = share - (scores + of_rows).logsumexp(dim=-2, keepdim=True)
        of_rows = -(scores + of_columns).logsumexp(dim=-1, keepdim=True)
    return scores + of_rows + of_columns


def sinkhorn(scores: Float[Tensor, "*batch rows columns"], steps: int = 5) -> Float[Tensor, "*batch rows columns"]:
    """How much of each row goes to each column; see `log_sinkhorn`."""
    return log_sinkhorn(scores, steps).exp()
