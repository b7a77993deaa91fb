import numpy as np
import pytest
import torch

from recon.errors import GeometryError
from recon.geometry.projection import pixel_grid
from recon.geometry.se3 import invert_rigid, rigid, rotation_from_quat
from recon.pipeline.tsdf import BLOCK, BYTES_PER_VOXEL, TsdfConfig, count_blocks, fuse, trusted_depth
from recon.types import Cameras

WIDTH, HEIGHT, FOCAL = 80, 60, 70.0
RADIUS, DISTANCE = 1.0, 3.0
COARSE = TsdfConfig(voxels_per_depth=64.0)


def ring(num: int) -> Cameras:
    """Cameras around the origin, all looking at it."""
    half = torch.arange(num, dtype=torch.float64) * (torch.pi / num)
    zero = torch.zeros_like(half)
    rotation = rotation_from_quat(torch.stack([half.cos(), zero, half.sin(), zero], dim=-1))
    pose = invert_rigid(rigid(rotation, -DISTANCE * rotation[..., 2])).float()
    K = torch.tensor([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]]).repeat(num, 1, 1)
    return Cameras(pose, K, torch.tensor([[WIDTH, HEIGHT]] * num))


def sphere_depth() -> np.ndarray:
    """Exact z-depth of a sphere in the middle, 0 beside it."""
    grid = pixel_grid(HEIGHT, WIDTH).numpy().astype(np.float64)
    x, y = (grid[..., 0] - WIDTH / 2) / FOCAL, (grid[..., 1] - HEIGHT / 2) / FOCAL
    a, b, c = x**2 + y**2 + 1, -2 * DISTANCE, DISTANCE**2 - RADIUS**2
    inside = b * b - 4 * a * c
    return np.where(inside > 0, (-b - np.sqrt(np.maximum(inside, 0))) / (2 * a), 0).astype(np.float32)


@pytest.fixture(scope="module")
def sphere():
    cameras = ring(12)
    depths = np.stack([sphere_depth()] * 12)
    colors = np.zeros((12, HEIGHT, WIDTH, 3), np.uint8)
    colors[..., 0], colors[..., 1] = 200, 100
    return fuse(depths, colors, cameras, COARSE)


def test_a_sphere_seen_from_around_is_found_where_it_is(sphere):
    voxel = DISTANCE / 64
    off = sphere.vertices.double().norm(dim=-1) - RADIUS
    assert float(off.abs().median()) < 0.2 * voxel
    assert abs(float(off.mean())) < 0.2 * voxel  # a pixel convention off by half a pixel moves slanted parts by more
    assert len(sphere.faces) > 5000


def test_faces_wind_counter_clockwise_seen_from_outside(sphere):
    a, b, c = (sphere.vertices[sphere.faces[:, i]].double() for i in range(3))
    normal = torch.linalg.cross(b - a, c - a)
    outward = (normal * (a + b + c)).sum(-1)
    large = normal.norm(dim=-1) > normal.norm(dim=-1).median() * 0.1
    assert float((outward[large] > 0).double().mean()) > 0.99
    assert float(((sphere.normals * sphere.vertices).sum(-1) > 0).double().mean()) > 0.99


def test_colours_are_those_of_the_pictures(sphere):
    wanted = torch.tensor([200.0, 100, 0]) / 255
    torch.testing.assert_close(sphere.vertex_colors.median(0).values, wanted, atol=0.01, rtol=0)


def test_edges_and_far_pixels_are_not_trusted():
    depth = np.full((20, 30), 2.0, np.float32)
    depth[:, 15:] = 3.0
    depth[0, 0], depth[5, 5] = 50.0, 0.0
    kept = trusted_depth(depth, TsdfConfig(max_depth_ratio=4.0))
    assert (kept[:, 14:16] == 0).all()
    assert kept[0, 0] == 0
    assert (kept[8:, :14] == 2).all()
    assert (kept[8:, 16:] == 3).all()
    assert kept[5, 6] == 2  # unknown neighbours are no edge


def test_voxels_grow_until_the_field_fits_the_memory():
    points = np.random.default_rng(0).uniform(-1, 1, (2000, 3))
    assert count_blocks(points, 0.01) > count_blocks(points, 0.02) > count_blocks(points, 0.1)
    small = TsdfConfig(voxels_per_depth=64.0, max_bytes=60 * BLOCK**3 * BYTES_PER_VOXEL)
    depths = np.stack([sphere_depth()] * 4)
    mesh = fuse(depths, np.zeros((4, HEIGHT, WIDTH, 3), np.uint8), ring(4), small)
    full = fuse(depths, np.zeros((4, HEIGHT, WIDTH, 3), np.uint8), ring(4), COARSE)
    assert 0 < len(mesh.faces) < len(full.faces) / 2


def test_nothing_to_fuse():
    with pytest.raises(GeometryError, match="no depth map"):
        fuse(np.zeros((2, HEIGHT, WIDTH), np.float32), np.zeros((2, HEIGHT, WIDTH, 3), np.uint8), ring(2), COARSE)
