"""Viewing rays and their Pluecker coordinates."""

import torch
from jaxtyping import Float
from torch import Tensor

from recon.geometry.projection import pixel_grid


def camera_rays(
    world_from_cam: Float[Tensor, "*batch 4 4"], K: Float[Tensor, "*batch 3 3"], height: int, width: int
) -> tuple[Float[Tensor, "*batch 3"], Float[Tensor, "*batch height width 3"]]:
    """Camera centre and unit direction through every pixel centre, in the world."""
    grid = pixel_grid(height, width, device=K.device).to(K.dtype)
    return world_from_cam[..., :3, 3], ray_directions(grid, world_from_cam, K)


def ray_directions(
    pixels: Float[Tensor, "*#batch height width 2"],
    world_from_cam: Float[Tensor, "*batch 4 4"],
    K: Float[Tensor, "*batch 3 3"],
) -> Float[Tensor, "*batch height width 3"]:
    """Unit directions in the world through pixels; one grid of pixels may serve all cameras."""
    focal = torch.stack([K[..., 0, 0], K[..., 1, 1]], dim=-1)[..., None, None, :]
    centre = K[..., None, None, :2, 2]
    plane = (pixels - centre) / focal
    in_camera = torch.nn.functional.normalize(torch.cat([plane, torch.ones_like(plane[..., :1])], dim=-1), dim=-1)
    return torch.einsum("...ij,...hwj->...hwi", world_from_cam[..., :3, :3], in_camera)


def pluecker_rays(
    origin: Float[Tensor, "*batch 3"], direction: Float[Tensor, "*batch height width 3"]
) -> Float[Tensor, "*batch height width 6"]:
    """Pluecker coordinates (moment o x d, direction d) of rays (Pluecker 1865; iLRM section 3.1)."""
    moment = torch.linalg.cross(origin[..., None, None, :].expand_as(direction), direction)
    return torch.cat([moment, direction], dim=-1)
