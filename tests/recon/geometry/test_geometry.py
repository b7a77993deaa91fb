import math

import pytest
import torch

from recon.errors import GeometryError
from recon.geometry.normalise import mean_camera, normalise_cameras, reference_camera
from recon.geometry.projection import pixel_grid, project, scale_intrinsics, unproject
from recon.geometry.rays import camera_rays, pluecker_rays
from recon.geometry.se3 import (
    invert_rigid,
    multiply_quats,
    quat_from_rotation,
    rigid,
    rotation_angle_deg,
    rotation_from_quat,
)
from recon.geometry.umeyama import umeyama

K = torch.tensor([[100.0, 0, 32], [0, 110, 24], [0, 0, 1]], dtype=torch.float64)


def random_poses(generator: torch.Generator, num: int) -> torch.Tensor:
    rotation = rotation_from_quat(torch.randn(num, 4, generator=generator, dtype=torch.float64))
    return rigid(rotation, torch.randn(num, 3, generator=generator, dtype=torch.float64))


def test_inverse_of_a_rigid_motion(generator):
    poses = random_poses(generator, 20)
    torch.testing.assert_close(invert_rigid(poses) @ poses, torch.eye(4, dtype=torch.float64).expand(20, 4, 4))


def test_quaternion_round_trip_for_all_branches(generator):
    half_turns = torch.eye(4, dtype=torch.float64)
    quats = torch.cat([torch.randn(200, 4, generator=generator, dtype=torch.float64), half_turns, -half_turns])
    rotation = rotation_from_quat(quats)
    torch.testing.assert_close(rotation_from_quat(quat_from_rotation(rotation)), rotation)
    assert (quat_from_rotation(rotation)[:, 0] >= 0).all()


def test_quaternion_product_is_composition(generator):
    a, b = torch.randn(2, 50, 4, generator=generator, dtype=torch.float64)
    expected = rotation_from_quat(a) @ rotation_from_quat(b)
    torch.testing.assert_close(rotation_from_quat(multiply_quats(a, b)), expected)


@pytest.mark.parametrize("angle", [0.0, 1e-5, 1.0, 90.0, 179.9999, 180.0])
def test_rotation_angle(angle):
    half = math.radians(angle) / 2
    quat = torch.tensor([math.cos(half), 0.0, math.sin(half), 0.0], dtype=torch.float64)
    measured = rotation_angle_deg(rotation_from_quat(quat), torch.eye(3, dtype=torch.float64))
    assert float(measured) == pytest.approx(angle, abs=1e-9)


def test_unproject_inverts_project(generator):
    poses = random_poses(generator, 5)
    points = torch.randn(5, 30, 3, generator=generator, dtype=torch.float64)
    pixels, depth = project(points, poses, K.expand(5, 3, 3))
    torch.testing.assert_close(unproject(pixels, depth, poses, K.expand(5, 3, 3)), points)


def test_principal_ray_hits_the_principal_point():
    pixels, depth = project(torch.tensor([[0, 0, 2.0]], dtype=torch.float64), torch.eye(4, dtype=torch.float64), K)
    assert pixels.tolist() == [[32.0, 24.0]]
    assert depth.tolist() == [2.0]


def test_resized_image_shows_the_same_point_at_the_scaled_pixel(generator):
    points = torch.rand(10, 3, generator=generator, dtype=torch.float64) + torch.tensor([0, 0, 1.0])
    full, _ = project(points, torch.eye(4, dtype=torch.float64), K)
    half, _ = project(points, torch.eye(4, dtype=torch.float64), scale_intrinsics(K, 0.5, 0.25))
    torch.testing.assert_close(half, full * torch.tensor([0.5, 0.25], dtype=torch.float64))


def test_rays_pass_through_their_pixels(generator):
    pose = random_poses(generator, 3)
    origin, direction = camera_rays(pose, K.expand(3, 3, 3), 6, 8)
    points = (origin[:, None, None] + 3 * direction).reshape(3, -1, 3)
    pixels, depth = project(points, invert_rigid(pose), K.expand(3, 3, 3))
    torch.testing.assert_close(pixels, pixel_grid(6, 8).double().reshape(1, -1, 2).expand(3, -1, -1))
    assert (depth > 0).all()


def test_pluecker_moment_does_not_depend_on_the_point_on_the_ray(generator):
    origin, direction = camera_rays(random_poses(generator, 2), K.expand(2, 3, 3), 4, 4)
    moved = origin[:, None, None] + 2.5 * direction
    expected = torch.linalg.cross(moved, direction)
    torch.testing.assert_close(pluecker_rays(origin, direction)[..., :3], expected)


def test_umeyama_recovers_a_similarity(generator):
    source = torch.randn(12, 3, generator=generator, dtype=torch.float64)
    pose = random_poses(generator, 1)[0]
    scale, rotation, translation = umeyama(source, 2.5 * source @ pose[:3, :3].T + pose[:3, 3])
    assert float(scale) == pytest.approx(2.5)
    torch.testing.assert_close(rotation, pose[:3, :3])
    torch.testing.assert_close(translation, pose[:3, 3])


def test_umeyama_never_mirrors(generator):
    source = torch.randn(12, 3, generator=generator, dtype=torch.float64)
    _, rotation, _ = umeyama(source, source * torch.tensor([1, 1, -1.0], dtype=torch.float64))
    assert float(torch.linalg.det(rotation)) == pytest.approx(1)


def test_umeyama_refuses_one_point():
    with pytest.raises(GeometryError, match="without spread"):
        umeyama(torch.ones(3, 3), torch.ones(3, 3))


@pytest.mark.parametrize("scale_from", ["centred", "raw"])
def test_normalised_cameras_are_centred(generator, scale_from):
    poses = random_poses(generator, 6)
    poses[:, :3, :3] = rotation_from_quat(
        torch.tensor([1.0, 0, 0, 0], dtype=torch.float64) + 0.2 * torch.randn(6, 4, generator=generator).double()
    )
    poses[:, :3, 3] += 5
    normalised = normalise_cameras(poses, scale_from=scale_from).apply(poses)
    torch.testing.assert_close(normalised[:, :3, 3].mean(0), torch.zeros(3, dtype=torch.float64))
    torch.testing.assert_close(mean_camera(normalised), torch.eye(4, dtype=torch.float64))
    extent = normalised[:, :3, 3].abs().max()
    assert float(extent) == pytest.approx(1) if scale_from == "centred" else float(extent) < 1


def test_the_two_releases_scale_by_different_centres():
    """Centres (4, 0, 0) and (8, 0, -2) lie at (-2, 0, 1) and (2, 0, -1) about their mean."""
    poses = torch.eye(4, dtype=torch.float64).repeat(2, 1, 1)
    poses[:, :3, 3] = torch.tensor([[4.0, 0, 0], [8.0, 0, -2]])
    assert float(normalise_cameras(poses, scale_from="centred").scale) == pytest.approx(1 / 2)
    assert float(normalise_cameras(poses, scale_from="raw").scale) == pytest.approx(1 / 8)
    moved = normalise_cameras(poses, scale_from="raw").apply(poses)
    assert moved[1, :3, 3].tolist() == pytest.approx([2 / 8, 0, -1 / 8])


def test_normalisation_keeps_shape(generator):
    poses = random_poses(generator, 4)
    normalisation = normalise_cameras(poses)
    before = torch.cdist(poses[:, :3, 3], poses[:, :3, 3])
    after = normalisation.apply(poses)[:, :3, 3]
    torch.testing.assert_close(torch.cdist(after, after), before * normalisation.scale)


def test_normalisation_of_coinciding_cameras_keeps_the_scale():
    poses = torch.eye(4, dtype=torch.float64).expand(3, 4, 4)
    assert float(normalise_cameras(poses).scale) == 1


def test_a_ring_of_inward_cameras_has_a_reference_camera():
    angle = torch.arange(8, dtype=torch.float64) * math.pi / 4
    quat = torch.stack([(angle / 2).cos(), 0 * angle, (angle / 2).sin(), 0 * angle], dim=-1)
    rotation = rotation_from_quat(quat)
    ring = rigid(rotation, -2 * rotation[:, :, 2])
    with pytest.raises(GeometryError):
        normalise_cameras(ring)
    normalised = normalise_cameras(ring, origin=reference_camera).apply(ring)
    torch.testing.assert_close(normalised[:, :3, 3].norm(dim=-1).max(), torch.tensor(1.0, dtype=torch.float64))


def test_opposite_cameras_have_no_mean():
    back = torch.diag(torch.tensor([-1, 1, -1, 1.0], dtype=torch.float64))
    with pytest.raises(GeometryError, match="cancel"):
        mean_camera(torch.stack([torch.eye(4, dtype=torch.float64), back]))
