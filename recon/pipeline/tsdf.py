"""Fusing depth maps into one surface.

A truncated signed distance field (Curless and Levoy 1996) in blocks of voxels near the surface (Niessner et al. 2013),
by Open3D, which nothing else in the pipeline imports.
"""

import logging
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from recon.errors import GeometryError
from recon.geometry.projection import pixel_grid, unproject
from recon.types import Cameras, Mesh

log = logging.getLogger(__name__)

BLOCK = 16
# Distance and weight float32, colour three float32.
BYTES_PER_VOXEL = 20
TRUNCATION_VOXELS = 8.0
_COARSER = 1.25


@dataclass(frozen=True)
class TsdfConfig:
    """How finely depth is fused.

    Attributes:
        voxels_per_depth: The median depth is this many voxels long.
        max_bytes: Of the field in memory; voxels are made larger until it fits.
        max_depth_ratio: Depth beyond this many times the median of its picture is left out: its error is large.
        max_slope: Neighbouring pixels whose depths differ by more than this part show two surfaces.
        min_weight: Pictures that must agree on a voxel.
    """

    voxels_per_depth: float = 192.0
    max_bytes: int = 2 * 1024**3
    max_depth_ratio: float = 4.0
    max_slope: float = 0.05
    min_weight: float = 2.0


DEFAULT_TSDF = TsdfConfig()


def fuse(
    depths: Float[np.ndarray, "views height width"],
    colors: UInt8[np.ndarray, "views height width 3"],
    cameras: Cameras,
    config: TsdfConfig = DEFAULT_TSDF,
) -> Mesh:
    """One surface from the depth maps of many cameras; faces wind counter-clockwise seen from the cameras' side.

    Args:
        depths: z-depth in world units, 0 where not known.
        colors: sRGB.
        cameras: One for each map.
        config: How finely.

    Returns:
        Vertices in the world, with normals and colours.

    Raises:
        GeometryError: The maps show no surface.
    """
    depths = np.stack([trusted_depth(depth, config) for depth in depths])
    if not (depths > 0).any():
        raise GeometryError("no depth map shows a surface, so there is no mesh")
    voxel = float(np.median(depths[depths > 0])) / config.voxels_per_depth
    points = _surface_points(depths, cameras)
    while (need := count_blocks(points, voxel) * BLOCK**3 * BYTES_PER_VOXEL) > config.max_bytes:
        voxel *= _COARSER
    log.info("fusing %d depth maps into voxels of %.3g units, about %d MB", len(depths), voxel, need // 10**6)
    return _integrate(depths, colors, cameras, voxel, min(config.min_weight, len(depths)))


def trusted_depth(
    depth: Float[np.ndarray, "height width"], config: TsdfConfig = DEFAULT_TSDF
) -> Float[np.ndarray, "height width"]:
    """Depth without far pixels and without those at the edge of a nearer surface, where expected depth is a mixture."""
    known = depth > 0
    if not known.any():
        return depth
    edge = np.zeros_like(known)
    for axis in (0, 1):
        first, second = np.moveaxis(depth, axis, 0)[:-1], np.moveaxis(depth, axis, 0)[1:]
        jump = (np.abs(first - second) > config.max_slope * np.minimum(first, second)) & (first > 0) & (second > 0)
        view = np.moveaxis(edge, axis, 0)
        view[:-1] |= jump
        view[1:] |= jump
    near = depth <= config.max_depth_ratio * np.median(depth[known])
    return np.where(known & near & ~edge, depth, np.float32(0)).astype(np.float32)


def count_blocks(points: Float[np.ndarray, "points 3"], voxel: float) -> int:
    """Blocks that a field around these points takes: those within the truncation distance of one of them."""
    reach = TRUNCATION_VOXELS * voxel
    corners = np.array(np.meshgrid(*[(-reach, reach)] * 3)).reshape(3, -1).T
    side = BLOCK * voxel
    return len(
        np.unique(np.concatenate([np.floor((points + corner) / side).astype(np.int32) for corner in corners]), axis=0)
    )


def _surface_points(depths: Float[np.ndarray, "views height width"], cameras: Cameras) -> np.ndarray:
    """World points of every second pixel along each side."""
    grid = pixel_grid(*depths.shape[1:])[::2, ::2].reshape(-1, 2).double()
    found = []
    for i, depth in enumerate(depths):
        z = torch.from_numpy(depth[::2, ::2].reshape(-1)).double()
        world = unproject(grid, z, cameras.cam_from_world[i].double().cpu(), cameras.K[i].double().cpu())
        found.append(world[z > 0].numpy())
    return np.concatenate(found)


def _integrate(
    depths: Float[np.ndarray, "views height width"],
    colors: UInt8[np.ndarray, "views height width 3"],
    cameras: Cameras,
    voxel: float,
    min_weight: float,
) -> Mesh:
    import open3d as o3d

    o3c = o3d.core

    def image(values: np.ndarray) -> o3d.t.geometry.Image:
        return o3d.t.geometry.Image(o3c.Tensor(np.ascontiguousarray(values, dtype=np.float32)))

    field = o3d.t.geometry.VoxelBlockGrid(
        ("tsdf", "weight", "color"), (o3c.float32, o3c.float32, o3c.float32), ((1), (1), (3)), voxel, BLOCK, 4096
    )
    far = float(depths.max()) * 1.01
    for i in range(len(depths)):
        K = o3c.Tensor(cameras.K[i].double().cpu().numpy())
        cam_from_world = o3c.Tensor(cameras.cam_from_world[i].double().cpu().numpy())
        depth, color = image(depths[i][..., None]), image(colors[i] / 255.0)
        blocks = field.compute_unique_block_coordinates(depth, K, cam_from_world, 1.0, far, TRUNCATION_VOXELS)
        field.integrate(blocks, depth, color, K, K, cam_from_world, 1.0, far, TRUNCATION_VOXELS)
    surface = field.extract_triangle_mesh(weight_threshold=min_weight - 0.5)
    if "indices" not in surface.triangle or not len(surface.triangle.indices):
        raise GeometryError("the depth maps do not agree on any surface, so there is no mesh")
    return Mesh(
        vertices=_tensor(surface.vertex.positions.numpy()),
        faces=torch.from_numpy(surface.triangle.indices.numpy().astype(np.int64)),
        normals=torch.nn.functional.normalize(_tensor(surface.vertex.normals.numpy()), dim=-1),
        vertex_colors=_tensor(surface.vertex.colors.numpy()).clamp(0, 1),
    )


def _tensor(values: np.ndarray) -> Float[Tensor, "n 3"]:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
