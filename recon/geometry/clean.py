"""Gaussians that no renderer and no file can take are dropped, and counted."""

import torch
from jaxtyping import Bool
from torch import Tensor

from recon.types import Gaussians

# Between these, a scale and its square are normal float32 numbers.
SMALLEST_SCALE = 1e-18
LARGEST_SCALE = 1e18
LARGEST_VALUE = 1e30
"""Means and coefficients beyond it are taken for infinite."""
SMALLEST_NORM = 1e-12


def usable(gaussians: Gaussians) -> Bool[Tensor, " gaussians"]:
    """True where every value is finite, every scale above zero and the quaternion not zero."""
    g = gaussians
    parts = (g.means, g.scales, g.quats, g.opacities[:, None], g.sh.flatten(1))
    finite = torch.stack([(part.abs() < LARGEST_VALUE).all(1) for part in parts]).all(0)
    return finite & (g.scales > 0).all(1) & (g.quats.norm(dim=1) > SMALLEST_NORM)


def finite_only(gaussians: Gaussians) -> tuple[Gaussians, int]:
    """The usable Gaussians, valid in the sense of `Gaussians.validate`, and how many were dropped.

    Of those that stay, scales are clamped to 1e-18..1e18 and opacities to 0..1, and quaternions are normalised. No
    Gaussians at all, or none that is usable, gives an empty set of the same degree.
    """
    keep = usable(gaussians)
    kept = gaussians[keep]
    result = Gaussians(
        means=kept.means,
        scales=kept.scales.clamp(SMALLEST_SCALE, LARGEST_SCALE),
        quats=kept.quats / kept.quats.norm(dim=1, keepdim=True),
        opacities=kept.opacities.clamp(0, 1),
        sh=kept.sh,
    )
    return result.validate(), len(gaussians) - len(kept)
