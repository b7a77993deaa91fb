"""Group ids for a network: the key by name, from cameras where it needs them."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from models.layers.config import Key
from models.layers.contracts import Layout
from models.layers.feedforwards.keys import (
    checkerboard_keys,
    into_unit_cube,
    kind_keys,
    morton_cells,
    ray_cells,
    view_keys,
    with_prefix,
)
from recon.errors import InputError
from recon.geometry.rays import camera_rays

RAY_SIDE = 4
"""The octahedral map is cut into 4 x 4 cells."""
MORTON_BITS = 2
"""Space is halved twice along each axis."""


def layout_groups(key: Key, layout: Layout, experts: int) -> Int[Tensor, " length"]:
    """Groups that follow from the arrangement of tokens alone, the same for all scenes.

    Raises:
        InputError: If the key needs cameras or points.
    """
    match key:
        case "view":
            return view_keys(layout, experts)
        case "checkerboard":
            return checkerboard_keys(layout, experts)
        case "kind":
            return kind_keys(layout) % experts
    raise InputError(f"groups by {key} follow from cameras or points", hint="use ray_groups or point_groups")


def patch_directions(
    world_from_cam: Float[Tensor, "*batch views 4 4"], K: Float[Tensor, "*batch views 3 3"], layout: Layout, patch: int
) -> Float[Tensor, "*batch patches 3"]:
    """Unit directions in the world through the centres of the patches.

    Args:
        world_from_cam: Poses, OpenCV axes.
        K: Intrinsics in pixels.
        layout: Rows and columns of patches of a view.
        patch: Side of a patch in pixels.
    """
    per_patch = torch.cat([K[..., :2, :] / patch, K[..., 2:, :]], dim=-2)
    _, directions = camera_rays(world_from_cam, per_patch, layout.height, layout.width)
    return directions.flatten(-4, -2)


def ray_groups(
    directions: Float[Tensor, "*batch patches 3"], layout: Layout, experts: int
) -> Int[Tensor, "*batch length"]:
    """Groups by the octahedral cell of the ray; cells take turns."""
    return with_prefix(layout, ray_cells(directions, RAY_SIDE) % experts)


def point_groups(
    points: Float[Tensor, "*batch patches 3"], layout: Layout, experts: int
) -> Int[Tensor, "*batch length"]:
    """Groups by the Morton cell of a coarse 3D point of every patch, in the box of the scene; else as `ray_groups`."""
    return with_prefix(layout, morton_cells(into_unit_cube(points), MORTON_BITS) % experts)
