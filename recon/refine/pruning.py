"""Gaussians that a scene is better without."""

from jaxtyping import Bool, Float
from torch import Tensor

from recon.geometry.projection import project
from recon.types import Cameras, Gaussians

NEAREST_SHARE = 0.05
"""Of the typical depth of a view: what hovers nearer before a camera is a floater."""
WIDEST_SHARE = 0.1
"""Of the diagonal of an image: a Gaussian with a larger standard deviation is a veil."""


def worth_keeping(
    gaussians: Gaussians, cameras: Cameras, depths: Float[Tensor, " views"], min_opacity: float
) -> Bool[Tensor, " gaussians"]:
    """False for Gaussians that are hardly visible, and for floaters and veils before a camera.

    Args:
        gaussians: A scene.
        cameras: Of the views it was fitted to.
        depths: Typical depth of what each view sees, world units.
        min_opacity: Below it a Gaussian is not worth its bytes.
    """
    keep = gaussians.opacities >= min_opacity
    largest = gaussians.scales.amax(1)
    for i in range(len(cameras)):
        pixels, z = project(gaussians.means, cameras.cam_from_world[i], cameras.K[i])
        size = cameras.size[i].to(pixels)
        seen = (z > 0) & ((pixels > 0) & (pixels < size)).all(1)
        width_px = largest * cameras.K[i, 0, 0] / z.clamp(min=1e-9)
        keep &= ~(seen & ((z < NEAREST_SHARE * depths[i]) | (width_px > WIDEST_SHARE * size.norm())))
    return keep
