"""One scene from the Gaussians of several groups of views."""

import torch
from jaxtyping import Bool
from torch import Tensor

from recon.geometry.projection import project
from recon.render.rasterizer import render
from recon.types import Gaussians, ViewSet

SOLID = 0.9
"""Alpha from which a pixel counts as covered."""
SAME_DEPTH = 0.05
"""Relative difference up to which two depths mean one surface."""
SAME_COLOUR = 0.06
"""Mean absolute difference of colour, 0..1, up to which a pixel counts as explained."""


@torch.no_grad()
def merge(scene: Gaussians | None, group: Gaussians, views: ViewSet) -> Gaussians:
    """The scene, and those Gaussians of a further group that show something it does not show yet.

    Args:
        scene: Of the groups before, or None.
        group: Made from `views`.
        views: With cameras.
    """
    if scene is None:
        return group
    return join([scene, group[~already_shown(scene, group, views)]])


@torch.no_grad()
def already_shown(scene: Gaussians, group: Gaussians, views: ViewSet) -> Bool[Tensor, " gaussians"]:
    """Which Gaussians of a group lie on a surface that the scene renders rightly in one of the group's views.

    Rightly: opaque, in the colour of the photograph, at the depth of the Gaussian.
    """
    shown = torch.zeros(len(group), dtype=torch.bool)
    for i in range(len(views)):
        camera = views.posed_cameras[[i]]
        rendering = render(scene, camera, depth=True)
        if rendering.depth is None:
            raise ValueError("depth was asked for")
        error = (rendering.color[0].permute(2, 0, 1) - views.images[i]).abs().mean(0)
        explained = (rendering.alpha[0, ..., 0] > SOLID) & (error < SAME_COLOUR)
        pixels, z = project(group.means, camera.cam_from_world[0], camera.K[0])
        inside = (z > 0) & ((pixels >= 0) & (pixels < camera.size[0])).all(1)
        x, y = pixels[inside].long().unbind(1)
        same_depth = (z[inside] / rendering.depth[0, y, x, 0].clamp(min=1e-9) - 1).abs() < SAME_DEPTH
        shown[inside] |= explained[y, x] & same_depth
    return shown


def join(parts: list[Gaussians]) -> Gaussians:
    """All Gaussians of all parts, which have spherical harmonics of one degree."""
    columns = zip(*((p.means, p.scales, p.quats, p.opacities, p.sh) for p in parts), strict=True)
    return Gaussians(*(torch.cat(column) for column in columns))
