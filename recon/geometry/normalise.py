"""Camera normalisation before iLRM: a mean camera frame and a unit box (iLRM section 3.1 and its two releases).

All cameras are moved into the mean camera frame of the context views, then scaled so that the largest
coordinate of the context centres is 1. The two published releases take that largest coordinate from different
centres, and weights work only with the variant that they were trained with:

- "centred": after moving into the mean frame (the paper and the wide release);
- "raw": from the centres as given (the RealEstate10K release).
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import GeometryError
from recon.geometry.se3 import invert_rigid, rigid

ScaleFrom = Literal["centred", "raw"]


class CameraNormalisation(NamedTuple):
    """Maps between the given world and the normalised one: x_norm = scale * (norm_from_world @ x).

    Attributes:
        norm_from_world: Rigid part.
        scale: Factor applied after the rigid part.
    """

    norm_from_world: Float[Tensor, "4 4"]
    scale: Float[Tensor, ""]

    def apply(self, world_from_cam: Float[Tensor, "*views 4 4"]) -> Float[Tensor, "*views 4 4"]:
        """Camera-to-world matrices of the normalised world."""
        moved = self.norm_from_world @ world_from_cam
        return torch.cat(
            [torch.cat([moved[..., :3, :3], moved[..., :3, 3:] * self.scale], dim=-1), moved[..., 3:, :]], dim=-2
        )


def mean_camera(world_from_cam: Float[Tensor, "views 4 4"]) -> Float[Tensor, "4 4"]:
    """World-from-camera of the mean camera: mean centre, mean forward axis, mean down axis made orthogonal to it.

    Raises:
        GeometryError: The axes cancel out (cameras looking in opposite directions), so that no mean exists.
    """
    forward = world_from_cam[:, :3, 2].mean(0)
    down = world_from_cam[:, :3, 1].mean(0)
    if forward.norm() < 1e-6:
        raise GeometryError(
            "the viewing directions cancel out; no mean camera exists",
            hint="use views of one side of the scene, or more views",
        )
    forward = torch.nn.functional.normalize(forward, dim=0)
    down = down - (down @ forward) * forward
    if down.norm() < 1e-6:
        raise GeometryError("the mean down direction is parallel to the mean viewing direction")
    down = torch.nn.functional.normalize(down, dim=0)
    rotation = torch.stack([torch.linalg.cross(down, forward), down, forward], dim=-1)
    return rigid(rotation, world_from_cam[:, :3, 3].mean(0))


def reference_camera(world_from_cam: Float[Tensor, "views 4 4"]) -> Float[Tensor, "4 4"]:
    """The mean camera; where none exists, as on a ring that looks inwards, the first one moved to the mean centre."""
    try:
        return mean_camera(world_from_cam)
    except GeometryError:
        return rigid(world_from_cam[0, :3, :3], world_from_cam[:, :3, 3].mean(0))


def normalise_cameras(
    world_from_cam: Float[Tensor, "views 4 4"],
    *,
    scale_from: ScaleFrom = "centred",
    origin: Callable[[Tensor], Tensor] = mean_camera,
) -> CameraNormalisation:
    """The normalisation that the context cameras define; coinciding centres leave the scale at 1.

    Args:
        world_from_cam: Context cameras.
        scale_from: Which centres the scale is taken from.
        origin: The camera that becomes the identity; `mean_camera` as published, or `reference_camera`.
    """
    norm_from_world = invert_rigid(origin(world_from_cam))
    centres = (norm_from_world @ world_from_cam if scale_from == "centred" else world_from_cam)[:, :3, 3]
    extent = centres.abs().max()
    scale = torch.where(extent > 1e-9, 1 / extent.clamp(min=1e-9), torch.ones_like(extent))
    return CameraNormalisation(norm_from_world, scale)
