"""From feature maps to Gaussians, one per pixel."""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad, unfold

from models.ilrm.gaussian_batch import GaussianBatch
from models.ilrm.nano.sweep import PosedCameras
from models.layers.precision import full_precision
from recon.geometry.projection import pixel_grid, unproject
from recon.geometry.se3 import invert_rigid, multiply_quats, quat_from_rotation
from recon.geometry.spherical_harmonics import C0

NUM_ATTRIBUTES = 11
"""Colour residual 3, log scale 3, quaternion 4, opacity logit 1."""


def convex_upsample(
    values: Float[Tensor, "n 1 height width"], logits: Float[Tensor, "n weights height width"], factor: int
) -> Float[Tensor, "n 1 fine_height fine_width"]:
    """Enlarge a map; every fine value is a learned convex mix of 3x3 coarse neighbours (RAFT, Teed and Deng 2020).

    Args:
        values: Coarse map.
        logits: 9 * factor^2 channels, softmax over the 9.
        factor: Enlargement of each side.
    """
    height, width = values.shape[-2:]
    weights = rearrange(logits.float(), "n (k p q) h w -> n k p q h w", k=9, p=factor, q=factor).softmax(1)
    neighbours = unfold(pad(values, (1, 1, 1, 1), mode="replicate"), 3)
    neighbours = rearrange(neighbours, "n k (h w) -> n k 1 1 h w", h=height, w=width)
    return rearrange((weights * neighbours).sum(1), "n p q h w -> n 1 (h p) (w q)")


@full_precision
def gaussians_from_maps(
    images: Float[Tensor, "batch views 3 height width"],
    depth: Float[Tensor, "batch views height width"],
    attributes: Float[Tensor, "batch views attributes height width"],
    cameras: PosedCameras,
) -> GaussianBatch:
    """One Gaussian a pixel: on the pixel's ray, as wide as the pixel, in the pixel's colour, up to learned changes.

    Args:
        images: sRGB 0..1.
        depth: z-depth in world units.
        attributes: Raw network output, NUM_ATTRIBUTES channels.
        cameras: Cameras of the images.

    Returns:
        Gaussians in (view, row, column) order, in the world.
    """
    height, width = depth.shape[-2:]
    colour, log_scale, quat, opacity = attributes.float().split([3, 3, 4, 1], dim=2)
    pixels = pixel_grid(height, width, device=depth.device).reshape(-1, 2).expand(*depth.shape[:2], -1, 2)
    means = unproject(pixels, depth.flatten(2), cameras.cam_from_world, cameras.K)
    focal = (cameras.K[..., 0, 0] + cameras.K[..., 1, 1]) / 2
    footprint = depth / focal[..., None, None]
    scales = 0.5 * footprint[:, :, None] * log_scale.clamp(-3, 2).exp()
    identity = torch.tensor([1.0, 0, 0, 0], device=depth.device)
    local = rearrange(quat, "b v c h w -> b v (h w) c") + identity
    turn = quat_from_rotation(invert_rigid(cameras.cam_from_world)[..., :3, :3])
    quats = nn.functional.normalize(multiply_quats(turn[:, :, None].expand_as(local), local), dim=-1)
    rgb = images + 0.25 * colour.tanh()
    return GaussianBatch(
        means=means.flatten(1, 2),
        scales=rearrange(scales, "b v c h w -> b (v h w) c"),
        quats=quats.flatten(1, 2),
        opacities=(opacity + 2).sigmoid().flatten(1),
        sh=rearrange((rgb - 0.5) / C0, "b v c h w -> b (v h w) 1 c"),
    )
