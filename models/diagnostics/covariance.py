"""Covariance of activations that come in batches."""

import torch
from jaxtyping import Float
from torch import Tensor


class Covariance:
    """Sums over samples, in float64 so that a large mean does no harm.

    Args:
        width: Numbers of a sample.

    Attributes:
        count: Samples so far.
    """

    def __init__(self, width: int):
        self.count = 0
        self._sum = torch.zeros(width, dtype=torch.float64)
        self._products = torch.zeros(width, width, dtype=torch.float64)

    def add(self, samples: Float[Tensor, "samples width"]) -> None:
        """Take samples into account."""
        x = samples.detach().to("cpu", torch.float64)
        self.count += len(x)
        self._sum += x.sum(0)
        self._products.addmm_(x.T, x)

    def eigenvalues(self) -> Float[Tensor, " width"]:
        """Of the covariance, smallest first; zeros before the first sample."""
        num = max(self.count, 1)
        mean = self._sum / num
        return torch.linalg.eigvalsh(self._products / num - torch.outer(mean, mean)).clamp(min=0)
