"""How much of the same surface two views see, judged from cameras alone."""

import torch
from jaxtyping import Float
from torch import Tensor

from recon.geometry.projection import project, unproject
from recon.types import Cameras

GRID = 6
"""Samples along each side of an image."""
DEPTH_FACTORS = (0.7, 1.0, 1.5)
"""Where surfaces may be, in typical depths of the view."""
WIDEST_ANGLE_DEG = 60.0
"""Rays that meet at a larger angle hardly ever show the same surface in a form that can be matched."""
STEPS_TO_SURFACE = 6.0
"""Typical depth in distances between neighbouring cameras, where nothing better is known."""


def view_overlap(cameras: Cameras, depths: Float[Tensor, " views"]) -> Float[Tensor, "views views"]:
    """Share of what each view sees that another one sees too; symmetric, 1 on the diagonal.

    A grid of pixels is put to the typical depth of its view, somewhat nearer and somewhat farther. A sample counts in
    another view where it falls into the image, and the less the larger the angle between the two rays.

    Args:
        cameras: Of the views.
        depths: Typical depth of what each view sees, world units (`typical_depths`).
    """
    num = len(cameras)
    steps = (torch.arange(GRID, device=depths.device) + 0.5) / GRID
    grid = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1).reshape(-1, 2)
    pixels = (grid * cameras.size[:, None]).repeat(1, len(DEPTH_FACTORS), 1)
    factors = torch.tensor(DEPTH_FACTORS, device=depths.device).repeat_interleave(len(grid))
    points = unproject(pixels, depths[:, None] * factors, cameras.cam_from_world, cameras.K)
    rays = torch.nn.functional.normalize(points - cameras.centers[:, None], dim=-1)

    shares = []
    for i in range(num):
        seen, z = project(points[i].expand(num, -1, -1), cameras.cam_from_world, cameras.K)
        inside = (z > 0) & ((seen > 0) & (seen < cameras.size[:, None])).all(-1)
        other = torch.nn.functional.normalize(points[i] - cameras.centers[:, None], dim=-1)
        angle = torch.rad2deg((rays[i] * other).sum(-1).clamp(-1, 1).arccos())
        shares.append((inside * (1 - angle / WIDEST_ANGLE_DEG).clamp(min=0)).mean(-1))
    overlap = torch.stack(shares)
    return ((overlap + overlap.T) / 2).fill_diagonal_(1)


def typical_depths(
    cameras: Cameras, points: Float[Tensor, "points 3"] | None = None, *, enough: int = 20
) -> Float[Tensor, " views"]:
    """Typical depth of what each view sees, in world units.

    From the sparse points that fall into the view where there are enough of them; else the depth of the point that all
    optical axes pass nearest to, if it lies before most cameras; else a multiple of the distance between neighbours.

    Args:
        cameras: At least two.
        points: Sparse surface points in the world.
        enough: Points that a view needs for a median.
    """
    depths = _depths_without_points(cameras)
    if points is None or not len(points):
        return depths
    for i in range(len(cameras)):
        pixels, z = project(points[None], cameras.cam_from_world[[i]], cameras.K[[i]])
        inside = (z > 0) & ((pixels > 0) & (pixels < cameras.size[i])).all(-1)
        if int(inside.sum()) >= enough:
            depths[i] = z[inside].median()
    return depths


def _depths_without_points(cameras: Cameras) -> Float[Tensor, " views"]:
    centers = cameras.centers
    distances = torch.cdist(centers, centers).fill_diagonal_(torch.inf)
    spacing = distances.min(1).values.median().clamp(min=1e-6)
    focus = nearest_to_axes(cameras)
    z = (cameras.cam_from_world[:, 2, :3] @ focus) + cameras.cam_from_world[:, 2, 3]
    if float((z > spacing).float().mean()) < 0.8 or float(z.median()) > 50 * float(spacing):
        return (STEPS_TO_SURFACE * spacing).expand(len(cameras)).clone()
    return z.clamp(min=float(spacing))


def nearest_to_axes(cameras: Cameras) -> Float[Tensor, "3"]:
    """The world point with the least sum of squared distances to all optical axes."""
    axes = cameras.cam_from_world[:, 2, :3].double()
    across = torch.eye(3, dtype=torch.float64, device=axes.device) - axes[:, :, None] * axes[:, None]
    # Parallel axes leave the position along them open; the pseudo-inverse then takes the one nearest to the cameras.
    middle = cameras.centers.double().mean(0)
    right = (across @ (cameras.centers.double() - middle)[..., None]).sum(0)
    return (middle + (torch.linalg.pinv(across.sum(0), rtol=1e-4) @ right)[:, 0]).to(cameras.K)
