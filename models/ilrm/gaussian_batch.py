"""Gaussians of a batch of scenes."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from recon.types import Gaussians


class GaussianBatch(NamedTuple):
    """Equal numbers of Gaussians for every scene of a batch; fields as in `recon.types.Gaussians`."""

    means: Float[Tensor, "batch gaussians 3"]
    scales: Float[Tensor, "batch gaussians 3"]
    quats: Float[Tensor, "batch gaussians 4"]
    opacities: Float[Tensor, "batch gaussians"]
    sh: Float[Tensor, "batch gaussians coefficients 3"]

    def scene(self, index: int) -> Gaussians:
        """The Gaussians of one scene."""
        return Gaussians(*(field[index] for field in self))
