"""Plane sweep between posed views (Collins 1996; Yao et al. 2018): where pixels land in other views, and how alike.

Depths are z-depths in world units. A plane of a sweep may differ from pixel to pixel.
"""

from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from models.ilrm.nano.correlation import correlate
from models.layers.precision import full_precision
from recon.geometry.projection import pixel_grid, scale_intrinsics
from recon.geometry.se3 import invert_rigid


class PosedCameras(NamedTuple):
    """Cameras of a batch of scenes.

    Attributes:
        cam_from_world: World-to-camera, OpenCV axes.
        K: Intrinsics in pixels of the full image.
        bounds: Left, top, right and bottom of what each image shows, in pixels of the full image; beyond it lies the
            rest of a canvas, of which nothing is known.
    """

    cam_from_world: Float[Tensor, "batch views 4 4"]
    K: Float[Tensor, "batch views 3 3"]
    bounds: Float[Tensor, "batch views 4"]

    def masks(self, height: int, width: int) -> Bool[Tensor, "batch views height width"]:
        """Pixels of the full images, of these sides, whose centres lie within the bounds."""
        x, y = pixel_grid(height, width, device=self.bounds.device).unbind(-1)
        left, top, right, bottom = self.bounds[..., None, None].unbind(2)
        return (x > left) & (y > top) & (x < right) & (y < bottom)


def whole_images(images: Float[Tensor, "batch views channels height width"]) -> Float[Tensor, "batch views 4"]:
    """Bounds of images that are all of their canvas."""
    height, width = images.shape[-2:]
    return torch.tensor([0.0, 0.0, width, height], device=images.device).expand(*images.shape[:2], 4)


def center_distances(cam_from_world: Float[Tensor, "batch views 4 4"]) -> Float[Tensor, "batch views views"]:
    """Distances between all camera centres; subtracted directly, so that a far origin costs no digits."""
    centres = invert_rigid(cam_from_world)[..., :3, 3]
    return (centres[:, :, None] - centres[:, None]).norm(dim=-1)


@full_precision
def choose_sources(
    cam_from_world: Float[Tensor, "batch views 4 4"], num_sources: int
) -> Int[Tensor, "batch views sources"]:
    """For every view the `num_sources` other views that see most alike.

    Cost = distance of centres in units of the largest distance + (1 - cosine of viewing directions), so that near
    views with nearly the same direction come first.
    """
    forward = invert_rigid(cam_from_world)[..., :3, 2]
    distance = center_distances(cam_from_world)
    cost = distance / distance.amax((-2, -1), keepdim=True).clamp(min=1e-9) + 1 - forward @ forward.mT
    cost = cost + torch.eye(cost.shape[-1], device=cost.device) * 1e6
    num_sources = min(num_sources, cost.shape[-1] - 1)
    return cost.topk(num_sources, dim=-1, largest=False).indices


@full_precision
def reference_length(
    cam_from_world: Float[Tensor, "batch views 4 4"], sources: Int[Tensor, "batch views sources"]
) -> Float[Tensor, " batch"]:
    """Largest distance between a view and one of its sources, the unit of the depth range; 1 where all coincide.

    It is the baseline that depth is measured with, so it does not grow with the number of views.
    """
    extent = center_distances(cam_from_world).gather(-1, sources).amax((-2, -1))
    return torch.where(extent > 1e-9, extent, torch.ones_like(extent))


class SweepGeometry(NamedTuple):
    """What every sweep of a batch needs of the cameras.

    Attributes:
        cameras: Of the full images.
        sources: Views that each view is matched with.
        unit: Reference length of each scene.
    """

    cameras: PosedCameras
    sources: Int[Tensor, "batch views sources"]
    unit: Float[Tensor, " batch"]


class InSources(NamedTuple):
    """Points of the views as the source views see them.

    Attributes:
        uv: Pixel coordinates of the source maps.
        z: z-depth in the source cameras.
        inside: Whether the source shows the point: it lies in front of it and within its bounds.
    """

    uv: Float[Tensor, "batch views sources planes height width 2"]
    z: Float[Tensor, "batch views sources planes height width"]
    inside: Bool[Tensor, "batch views sources planes height width"]


def points_in_sources(
    cameras: PosedCameras,
    sources: Int[Tensor, "batch views sources"],
    depth: Float[Tensor, "batch views planes height width"],
    stride: int,
) -> InSources:
    """Where pixels at given depths fall in the source views.

    Args:
        cameras: Cameras of the full images.
        sources: Source views of every view.
        depth: Depth of every pixel at every plane.
        stride: Full image pixels per pixel of these maps.
    """
    height, width = depth.shape[-2:]
    K = scale_intrinsics(cameras.K, 1 / stride, 1 / stride)
    batch = torch.arange(len(sources), device=sources.device)[:, None, None]
    source_pose, source_K = cameras.cam_from_world[batch, sources], K[batch, sources]
    source_from_ref = source_pose @ invert_rigid(cameras.cam_from_world)[:, :, None]
    pixels = pixel_grid(height, width, device=depth.device).to(depth.dtype)
    pixels = torch.cat([pixels, torch.ones_like(pixels[..., :1])], dim=-1).reshape(-1, 3)
    turn = source_K @ source_from_ref[..., :3, :3] @ torch.linalg.inv(K)[:, :, None]
    shift = source_K @ source_from_ref[..., :3, 3:]
    ray_x, ray_y, ray_z = rearrange(turn @ pixels.T, "b v s c (h w) -> c b v s 1 h w", h=height)
    shift_x, shift_y, shift_z = rearrange(shift, "b v s c 1 -> c b v s 1 1 1")
    at = depth[:, :, None]
    z = ray_z * at + shift_z
    in_front = z > 1e-6
    safe = torch.where(in_front, z, torch.ones_like(z))
    u = torch.where(in_front, (ray_x * at + shift_x) / safe, -1e4)
    v = torch.where(in_front, (ray_y * at + shift_y) / safe, -1e4)
    left, top, right, bottom = rearrange(cameras.bounds[batch, sources] / stride, "b v s c -> c b v s 1 1 1")
    inside = in_front & (u > left) & (v > top) & (u < right) & (v < bottom)
    return InSources(torch.stack([u, v], dim=-1), z, inside)


@full_precision
def sweep(
    features: Float[Tensor, "batch views channels height width"],
    cameras: PosedCameras,
    sources: Int[Tensor, "batch views sources"],
    depth: Float[Tensor, "batch views planes height width"],
    stride: int,
) -> Float[Tensor, "batch views stats planes height width"]:
    """How well each view's features agree with its sources at every plane.

    Features are scaled to unit length, so that a score is a cosine.

    Returns:
        Three statistics: mean and maximum of the score over the sources that see the point, and the share of
        sources that see it.
    """
    batch, views, num_sources = sources.shape
    uv, _, inside = points_in_sources(cameras, sources, depth, stride)
    unit = torch.nn.functional.normalize(features.float(), dim=2)
    maps = rearrange(unit, "b v c h w -> b v h w c")
    index = torch.arange(batch, device=sources.device)[:, None, None]
    reference = maps[:, :, None].expand(-1, -1, num_sources, -1, -1, -1).flatten(0, 2)
    scores = correlate(reference, maps[index, sources].flatten(0, 2), uv.flatten(0, 2))
    scores = scores.unflatten(0, (batch, views, num_sources)) * inside
    num_inside = inside.sum(2)
    mean = scores.sum(2) / num_inside.clamp(min=1)
    best = torch.where(inside, scores, torch.full_like(scores, -1.0)).amax(2)
    best = torch.where(num_inside > 0, best, torch.zeros_like(best))
    return torch.stack([mean, best, num_inside / num_sources], dim=2)
