"""Small pieces that the feed-forward layers share."""

import math

import torch
from torch import nn

from recon.errors import InputError


def require_full_width(width: float) -> None:
    """Refuse a share of the hidden width.

    Raises:
        InputError: If `width` is not 1.
    """
    if width != 1.0:
        raise InputError(
            f"asked for {width} of the hidden width of a layer that has one width",
            hint="only feed_forward.kind: nested has widths",
        )


def gated_width(dim: int, ratio: float) -> int:
    """Hidden width of a gated layer with the parameters of a GELU layer of that ratio: 2/3 of it, in steps of 64."""
    return max(64, 64 * round(2 * ratio * dim / 3 / 64))


def uniform_bias(size: int, fan_in: int) -> nn.Parameter:
    """Biases as torch's Linear draws them, in one dimension, for which optimisers have no weight decay."""
    return nn.Parameter(uniform_rows(1, size, fan_in).detach()[0])


def uniform_rows(rows: int, columns: int, fan_in: int) -> nn.Parameter:
    """Numbers drawn evenly from within 1/sqrt(fan_in), as torch's Linear has them.

    Experts are stored one below the other in two dimensions, for some optimisers take matrices only.
    """
    bound = 1 / math.sqrt(fan_in)
    return nn.Parameter(torch.empty(rows, columns).uniform_(-bound, bound))
