"""Projection of Gaussians in plain torch: the rasterisers without compiled kernels start from here."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from recon.geometry.se3 import rotation_from_quat
from recon.render.protocol import RasterConfig

MIN_ALPHA = 1 / 255
STOP_TRANSMITTANCE = 1e-4
_LIMIT_MARGIN = 0.3  # of half the field of view: where the Jacobian is taken for Gaussians beyond the border
_MAX_REACH = 3.33  # standard deviations


class Splats(NamedTuple):
    """What one camera sees, near to far; equal depths (as float32) in the order of the Gaussians.

    Attributes:
        index: Which Gaussians.
        mean_px: Projected centres.
        conic: Inverse covariance in the image: xx, xy, yy, per square pixel.
        opacity: In antialiased mode times the compensation for the blur.
        depth: z in the camera, world units.
        extent_px: Half width and height of the rectangle outside which alpha < 1/255; without gradient.
    """

    index: Int[Tensor, " splats"]
    mean_px: Float[Tensor, "splats 2"]
    conic: Float[Tensor, "splats 3"]
    opacity: Float[Tensor, " splats"]
    depth: Float[Tensor, " splats"]
    extent_px: Float[Tensor, "splats 2"]

    def at(self, chosen: Tensor) -> "Splats":
        """The splats of a mask or of indices."""
        return Splats(*(field[chosen] for field in self))


def project_splats(
    means: Float[Tensor, "gaussians 3"],
    quats: Float[Tensor, "gaussians 4"],
    scales: Float[Tensor, "gaussians 3"],
    opacities: Float[Tensor, " gaussians"],
    viewmat: Float[Tensor, "4 4"],
    K: Float[Tensor, "3 3"],
    size: tuple[int, int],
    config: RasterConfig,
) -> Splats:
    """Project all Gaussians that can change a pixel of one camera (EWA splatting, Zwicker et al. 2001)."""
    with torch.no_grad():
        finite = torch.cat([means, quats, scales, opacities[:, None]], dim=1).isfinite().all(1)
        z = means @ viewmat[2, :3] + viewmat[2, 3]
        in_range = (z >= config.near_plane) & (z <= config.far_plane) & (opacities >= MIN_ALPHA)
        index = (finite & in_range & (quats.norm(dim=1) > 0)).nonzero().flatten()
    in_camera = means[index] @ viewmat[:3, :3].T + viewmat[:3, 3]
    covariance = _image_covariance(in_camera, viewmat, rotation_from_quat(quats[index]) * scales[index, None], K, size)
    blurred = covariance + config.eps2d * torch.eye(2, dtype=means.dtype, device=means.device)
    determinant = torch.linalg.det(blurred)
    opacity = opacities[index]
    if config.rasterize_mode == "antialiased":
        ratio = torch.linalg.det(covariance) / determinant
        kept = ratio > max(config.min_compensation, 0.0)
        compensation = torch.where(kept, ratio, torch.ones_like(ratio)).sqrt()
        opacity = opacity * torch.where(kept, compensation, torch.full_like(ratio, config.min_compensation**0.5))
    inverse = torch.stack([blurred[:, 1, 1], -blurred[:, 0, 1], blurred[:, 0, 0]], dim=1)
    focal, center = K.diagonal()[:2], K[:2, 2]
    mean_px = focal * in_camera[:, :2] / in_camera[:, 2:] + center
    variances = blurred.diagonal(dim1=1, dim2=2)
    reach = torch.sqrt(2 * torch.log((opacity / MIN_ALPHA).clamp_min(1))).detach()
    extent = reach[:, None] * variances.detach().sqrt()
    splats = Splats(index, mean_px, inverse / determinant[:, None], opacity, in_camera[:, 2], extent)
    radius = (reach.clamp_max(_MAX_REACH) * variances.detach().amax(1).sqrt()).ceil()
    return _visible_in_order(splats, (determinant > 0) & (radius > config.radius_clip), size)


def _image_covariance(
    in_camera: Float[Tensor, "splats 3"],
    viewmat: Float[Tensor, "4 4"],
    axes: Float[Tensor, "splats 3 3"],
    K: Float[Tensor, "3 3"],
    size: tuple[int, int],
) -> Float[Tensor, "splats 2 2"]:
    """J R Sigma R^T J^T with the Jacobian taken no farther out than the limits."""
    z = in_camera[:, 2]
    rows = []
    for axis in range(2):
        focal, center = K[axis, axis], K[axis, 2]
        margin = _LIMIT_MARGIN * 0.5 * size[axis] / focal
        slope = in_camera[:, axis] / z
        slope = slope.clamp(-(center / focal + margin), (size[axis] - center) / focal + margin)
        row = [torch.zeros_like(z), torch.zeros_like(z), -focal * slope / z]
        row[axis] = focal / z
        rows.append(torch.stack(row, dim=-1))
    image_axes = torch.stack(rows, dim=1) @ viewmat[:3, :3] @ axes
    return image_axes @ image_axes.mT


@torch.no_grad()
def _overlaps_image(splats: Splats, size: tuple[int, int]) -> Tensor:
    limit = torch.tensor(size, dtype=splats.mean_px.dtype, device=splats.mean_px.device)
    inside = (splats.mean_px + splats.extent_px > 0) & (splats.mean_px - splats.extent_px < limit)
    return inside.all(1) & (splats.opacity >= MIN_ALPHA) & splats.conic.isfinite().all(1)


def _visible_in_order(splats: Splats, valid: Tensor, size: tuple[int, int]) -> Splats:
    visible = (valid & _overlaps_image(splats, size)).nonzero().flatten()
    order = splats.depth.detach()[visible].float().argsort(stable=True)
    return splats.at(visible[order])
