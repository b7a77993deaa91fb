"""Which group a token belongs to, from how tokens are arranged and where their rays point.

All keys are known before the network runs. Prefix tokens (registers, cameras) are of group 0.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from models.layers.contracts import Layout


def view_keys(layout: Layout, groups: int) -> Int[Tensor, " length"]:
    """Index of the view; with more views than groups they take turns."""
    return with_prefix(layout, _grid(layout)[0] % groups)


def checkerboard_keys(layout: Layout, groups: int) -> Int[Tensor, " length"]:
    """Place of the patch in a repeating square of cells; on repeating diagonals if `groups` is not a square number."""
    _, row, column = _grid(layout)
    side = math.isqrt(groups)
    cells = row % side * side + column % side if side > 1 and side * side == groups else (row + column) % groups
    return with_prefix(layout, cells)


def kind_keys(layout: Layout) -> Int[Tensor, " length"]:
    """0 for prefix tokens, 1 for patches."""
    return with_prefix(layout, torch.ones(layout.length - layout.prefix, dtype=torch.long))


def product_keys(
    first: Int[Tensor, "*batch length"], second: Int[Tensor, "*batch length"], groups: int
) -> Int[Tensor, "*batch length"]:
    """A key for every pair of keys, each 0 .. groups - 1: 0 .. groups^2 - 1."""
    return first * groups + second


def ray_cells(directions: Float[Tensor, "*tokens 3"], side: int) -> Int[Tensor, "*tokens"]:
    """Cell of the octahedral map that a direction falls into, 0 .. side^2 - 1.

    The sphere is projected onto the octahedron |x| + |y| + |z| = 1, its lower half (z < 0) folded over the upper, and
    the square [-1, 1]^2 that it covers cut into side x side cells (Cigolle et al. 2014).
    """
    x, y, z = (directions / directions.abs().sum(dim=-1, keepdim=True)).unbind(-1)
    folded_x, folded_y = (1 - y.abs()) * _sign(x), (1 - x.abs()) * _sign(y)
    u, v = torch.where(z < 0, folded_x, x), torch.where(z < 0, folded_y, y)
    column, row = (((value + 1) / 2 * side).long().clamp(0, side - 1) for value in (u, v))
    return row * side + column


def morton_cells(points: Float[Tensor, "*tokens 3"], bits: int) -> Int[Tensor, "*tokens"]:
    """Index along the Morton curve of the cube that a point falls into, 0 .. 8^bits - 1.

    Args:
        points: Points of the unit cube; others count as the nearest of it.
        bits: Halvings along each axis.
    """
    steps = (points * 2**bits).long().clamp(0, 2**bits - 1)
    code = torch.zeros_like(steps[..., 0])
    for bit in range(bits):
        for axis in range(3):
            code |= (steps[..., axis] >> bit & 1) << (3 * bit + axis)
    return code


def into_unit_cube(points: Float[Tensor, "*batch tokens 3"]) -> Float[Tensor, "*batch tokens 3"]:
    """Points of each scene, scaled alike along all axes: their 2 % to 98 % quantiles fill the longest axis."""
    low, high = points.quantile(0.02, dim=-2, keepdim=True), points.quantile(0.98, dim=-2, keepdim=True)
    return (points - low) / (high - low).amax(dim=-1, keepdim=True).clamp(min=torch.finfo(points.dtype).tiny)


def with_prefix(layout: Layout, patch_keys: Int[Tensor, "*batch patches"]) -> Int[Tensor, "*batch length"]:
    """Keys of all tokens from keys of the patches, view by view, row by row."""
    prefix = patch_keys.new_zeros(*patch_keys.shape[:-1], layout.prefix)
    return torch.cat([prefix, patch_keys], dim=-1)


def _grid(layout: Layout) -> tuple[Int[Tensor, " patches"], Int[Tensor, " patches"], Int[Tensor, " patches"]]:
    """View, row and column of every patch."""
    sides = [torch.arange(side) for side in (layout.views, layout.height, layout.width)]
    view, row, column = (axis.flatten() for axis in torch.meshgrid(*sides, indexing="ij"))
    return view, row, column


def _sign(x: Tensor) -> Tensor:
    """+1 or -1; +1 for 0."""
    return torch.where(x < 0, -1.0, 1.0)
