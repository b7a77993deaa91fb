"""A view synthesis baseline without learning: plane sweep in the target view (Collins 1996).

For every plane of the target camera the context images are warped to the target; where they agree, the plane is
right. Costs are smoothed at two scales before the best plane is taken, and the colour is the mean of the context
images weighted by nearness and agreement.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample, pad

from recon.geometry.projection import pixel_grid, project, unproject
from recon.types import Cameras, ViewSet

NUM_PLANES = 128
NEAREST, FARTHEST = 1.5, 100.0
"""Depth range in units of the largest distance between context cameras. Narrower than the network's, because the
baseline scores higher so on the captures at hand: 21.1 dB, and 18.2 to 20.5 with 0.5 or 1 as the nearest depth."""
SHARPNESS = 150.0


def synthesise(context: ViewSet, target: Cameras) -> Float[Tensor, "targets 3 height width"]:
    """The target views, from posed context views.

    Args:
        context: At least two views with cameras.
        target: Cameras of the size of the context images.
    """
    cameras = context.cameras
    if cameras is None:
        raise ValueError("the context has no cameras")
    extent = float(torch.cdist(cameras.centers, cameras.centers).max())
    inverse = torch.linspace(1 / (FARTHEST * extent), 1 / (NEAREST * extent), NUM_PLANES)
    return torch.stack([_one_view(context, cameras, target[[i]], 1 / inverse) for i in range(len(target))])


def _one_view(context: ViewSet, cameras: Cameras, target: Cameras, depths: Tensor) -> Tensor:
    height, width = context.height, context.width
    nearness = 1 / (cameras.centers - target.centers).norm(dim=-1).clamp(min=1e-6)
    nearness = nearness / nearness.sum()
    costs, colours = [], []
    for depth in depths:
        warped, inside = _warp(context.images, cameras, target, depth, height, width)
        weight = nearness[:, None, None, None] * inside[:, None]
        total = weight.sum(0)
        mean = (weight * warped).sum(0) / total.clamp(min=1e-9)
        spread = (weight * (warped - mean).abs()).sum(0) / total.clamp(min=1e-9)
        seen_twice = (inside.sum(0) >= 2).float()
        cost = spread.mean(0) * seen_twice + 0.08 * (1 - seen_twice)
        costs.append(_smooth(cost))
        colours.append(torch.where(total > 0, mean, context.images.mean((0, 2, 3))[:, None, None]))
    share = (-SHARPNESS * torch.stack(costs)).softmax(0)
    return (share[:, None] * torch.stack(colours)).sum(0)


def _warp(
    images: Tensor, cameras: Cameras, target: Cameras, depth: Tensor, height: int, width: int
) -> tuple[Tensor, Tensor]:
    """Context images seen on a fronto-parallel plane of the target, and where they lie inside their frames."""
    pixels = pixel_grid(height, width).reshape(1, -1, 2)
    points = unproject(pixels, depth.expand(1, height * width), target.cam_from_world, target.K)
    uv, z = project(points.expand(len(images), -1, -1), cameras.cam_from_world, cameras.K)
    grid = (uv * 2 / torch.tensor([width, height]) - 1).reshape(-1, height, width, 2)
    inside = (grid.abs() < 1).all(-1) & (z.reshape(-1, height, width) > 0)
    return grid_sample(images, grid, padding_mode="border", align_corners=False), inside.float()


def _smooth(cost: Tensor) -> Tensor:
    """Mean of box filters of 3, 7 and 15 pixels: small ones keep edges, large ones bridge blank walls."""
    scales = [avg_pool2d(pad(cost[None, None], (r, r, r, r), mode="replicate"), 2 * r + 1, 1)[0, 0] for r in (1, 3, 7)]
    return torch.stack(scales).mean(0)
