"""Whether the views agree: what each source says about the point that a pixel's depth puts into the scene.

A pixel whose point lies in front of the surface that a source sees hangs in free space there; one behind it is hidden.
Multi-view stereo filters depth maps by this afterwards (Schoenberger et al. 2016, section 4.4); here the network sees
it while it can still change depth and opacity.
"""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample

from models.ilrm.nano.sweep import SweepGeometry, points_in_sources
from models.layers.precision import full_precision

NUM_CHANNELS = 4
LARGEST = 0.5
"""Differences of log depth beyond it say no more."""


@full_precision
def consistency(
    images: Float[Tensor, "batch views 3 full_height full_width"],
    log_depth: Float[Tensor, "n 1 height width"],
    geometry: SweepGeometry,
    stride: int,
) -> Float[Tensor, "n channels height width"]:
    """How well each pixel's point fits what the sources see, without gradient.

    Args:
        images: sRGB 0..1.
        log_depth: Depth of all views in reference lengths, n = batch times views.
        geometry: Cameras, sources and unit.
        stride: Full image pixels per pixel of the depth maps.

    Returns:
        Mean and least difference of log depth to the sources' own depth at the point, how far the point lies in front
        of it on average, and the mean difference of colour; zero where no source sees the point.
    """
    batch, views, num_sources = geometry.sources.shape
    own = rearrange(log_depth.detach().float(), "(b v) 1 h w -> b v h w", b=batch)
    seen = points_in_sources(
        geometry.cameras,
        geometry.sources,
        (own.exp() * geometry.unit[:, None, None, None])[:, :, None],
        stride,
    )
    small = rearrange(avg_pool2d(images.flatten(0, 1), stride), "(b v) c h w -> b v c h w", b=batch)
    maps = torch.cat([own[:, :, None], small], dim=2)
    index = torch.arange(batch, device=maps.device)[:, None, None]
    height, width = own.shape[-2:]
    grid = seen.uv[:, :, :, 0] * 2 / torch.tensor([width, height], device=maps.device) - 1
    found = grid_sample(
        maps[index, geometry.sources].flatten(0, 2), grid.flatten(0, 2), padding_mode="border", align_corners=False
    ).unflatten(0, (batch, views, num_sources))
    inside = seen.inside[:, :, :, 0].float()
    expected = (seen.z[:, :, :, 0] / geometry.unit[:, None, None, None, None]).clamp(min=1e-6).log()
    behind = (expected - found[:, :, :, 0]).clamp(-LARGEST, LARGEST)
    colour = (found[:, :, :, 1:] - small[:, :, None]).abs().mean(3)
    count = inside.sum(2).clamp(min=1)
    least = torch.where(inside > 0, behind.abs(), torch.full_like(behind, LARGEST)).amin(2) * (inside.sum(2) > 0)
    means = [(value * inside).sum(2) / count for value in (behind.abs(), (-behind).clamp(min=0), colour)]
    return torch.stack([means[0], least, means[1], means[2]], dim=2).flatten(0, 1).detach()
