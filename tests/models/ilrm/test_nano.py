from dataclasses import replace

import pytest
import torch

from models.hub import load_pretrained, save_pretrained
from models.ilrm.nano.config import NanoConfig
from models.ilrm.nano.correlation import _correlate_torch, correlate
from models.ilrm.nano.decoder import convex_upsample
from models.ilrm.nano.network import NanoILRM
from models.ilrm.nano.sweep import PosedCameras, choose_sources, points_in_sources, reference_length, sweep
from recon.errors import CheckpointError
from recon.geometry.projection import pixel_grid, project, unproject
from recon.geometry.se3 import rigid, rotation_from_quat
from tests.models import walls

SMALL = replace(walls.SMALL, coarse_planes=8)


def cameras_on_a_line(num: int, step: float = 0.3, side: int = 64) -> PosedCameras:
    pose = torch.eye(4).repeat(1, num, 1, 1)
    pose[..., 0, 3] = -step * torch.arange(num)
    K = torch.tensor([[60.0, 0, side / 2], [0, 60, side / 2], [0, 0, 1]]).expand(1, num, 3, 3)
    return PosedCameras(pose, K, torch.tensor([0.0, 0, side, side]).expand(1, num, 4))


@pytest.fixture
def small_network() -> NanoILRM:
    torch.manual_seed(0)
    return NanoILRM(SMALL).eval()


def test_fused_correlation_equals_the_torch_one_with_gradients(generator):
    reference = torch.randn(3, 5, 6, 8, generator=generator, requires_grad=True)
    source = torch.randn(3, 7, 4, 8, generator=generator, requires_grad=True)
    uv = torch.rand(3, 9, 5, 6, 2, generator=generator) * torch.tensor([6.0, 9.0]) - 1
    fused, plain = correlate(reference, source, uv), _correlate_torch(reference, source, uv)
    torch.testing.assert_close(fused, plain, atol=1e-5, rtol=1e-5)
    weights = torch.randn(fused.shape, generator=generator)
    for a, b in zip(
        torch.autograd.grad(fused, (reference, source), weights),
        torch.autograd.grad(plain, (reference, source), weights),
        strict=True,
    ):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-5)


def test_sources_are_the_nearest_other_views():
    cameras = cameras_on_a_line(5)
    sources = choose_sources(cameras.cam_from_world, 2)[0]
    assert [sorted(row) for row in sources.tolist()] == [[1, 2], [0, 2], [1, 3], [2, 4], [2, 3]]


def test_a_view_that_looks_away_is_no_source():
    cameras = cameras_on_a_line(3)
    pose = cameras.cam_from_world.clone()
    pose[0, 1, :3, :3] = torch.diag(torch.tensor([-1.0, 1, -1]))
    assert choose_sources(pose, 1)[0, 0].tolist() == [2]


def test_points_in_sources_are_projections(generator):
    cameras = cameras_on_a_line(2)
    turn = rotation_from_quat(torch.tensor([1.0, 0.05, -0.1, 0.02]))
    pose = cameras.cam_from_world.clone()
    pose[0, 1] = rigid(turn, torch.tensor([0.2, 0.1, -0.1]))
    cameras = cameras._replace(cam_from_world=pose)
    depth = 1 + torch.rand(1, 2, 3, 16, 16, generator=generator)
    uv, z, inside = points_in_sources(cameras, torch.tensor([[[1], [0]]]), depth, stride=4)
    pixels = pixel_grid(16, 16).reshape(-1, 2)
    world = unproject(pixels * 4, depth[0, 0, 2].flatten(), pose[0, 0], cameras.K[0, 0])
    expected, expected_z = project(world, pose[0, 1], cameras.K[0, 1])
    torch.testing.assert_close(z[0, 0, 0, 2].flatten(), expected_z, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(uv[0, 0, 0, 2].reshape(-1, 2), expected / 4, atol=1e-3, rtol=1e-4)
    in_image = ((expected > 0) & (expected < 64)).all(-1)
    assert torch.equal(inside[0, 0, 0, 2].flatten(), in_image)


def test_a_source_shows_nothing_beyond_its_bounds(generator):
    """The second image is 20 to 44 pixels across, the first all of its canvas."""
    cameras = cameras_on_a_line(2)
    bounded = cameras._replace(bounds=torch.tensor([[[0.0, 0, 64, 64], [20, 0, 44, 64]]]))
    sources, depth = torch.tensor([[[1], [0]]]), 1 + torch.rand(1, 2, 3, 16, 16, generator=generator)
    whole, (uv, _, inside) = (points_in_sources(c, sources, depth, stride=4) for c in (cameras, bounded))
    within = (uv[:, 0, ..., 0] > 5) & (uv[:, 0, ..., 0] < 11)
    assert torch.equal(inside[:, 0], whole.inside[:, 0] & within)
    assert 0 < within.sum() < whole.inside[:, 0].sum()
    assert torch.equal(inside[:, 1], whole.inside[:, 1])


def test_masks_are_the_pixels_within_the_bounds():
    cameras = cameras_on_a_line(1)._replace(bounds=torch.tensor([[[1.0, 0, 3, 2]]]))
    assert cameras.masks(3, 4)[0, 0].int().tolist() == [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]


def test_the_sweep_peaks_at_the_true_depth(generator):
    """A fronto-parallel textured wall: features agree best on the plane where it stands."""
    cameras = cameras_on_a_line(2, step=0.4)
    depths = torch.tensor([1.0, 1.5, 2.0, 3.0, 6.0])
    wall = torch.randn(1, 8, 1, 400, generator=generator).expand(1, 8, 64, 400)
    shift = int(60 * 0.4 / 2.0)
    features = torch.stack([wall[..., 100:164], wall[..., 100 + shift : 164 + shift]], dim=1)
    hypotheses = depths[None, None, :, None, None].expand(1, 2, 5, 64, 64)
    stats = sweep(features, cameras, choose_sources(cameras.cam_from_world, 1), hypotheses, stride=1)
    assert stats[0, 0, 0, :, 32, 40].argmax() == 2
    assert float(stats[0, 0, 0, 2, 32, 40]) == pytest.approx(1, abs=1e-4)


def test_convex_upsampling_keeps_a_constant_and_stays_in_range(generator):
    logits = torch.randn(2, 9 * 16, 5, 7, generator=generator)
    constant = convex_upsample(torch.full((2, 1, 5, 7), 3.0), logits, 4)
    torch.testing.assert_close(constant, torch.full((2, 1, 20, 28), 3.0))
    values = torch.rand(2, 1, 5, 7, generator=generator)
    enlarged = convex_upsample(values, logits, 4)
    assert enlarged.min() >= values.min()
    assert enlarged.max() <= values.max()


def test_one_gaussian_per_pixel_on_its_ray(small_network, generator):
    cameras = cameras_on_a_line(3)
    images = torch.rand(1, 3, 3, 64, 64, generator=generator)
    with torch.no_grad():
        output = small_network(images, *cameras[:2])
    assert output.gaussians.means.shape == (1, 3 * 64 * 64, 3)
    output.gaussians.scene(0).validate()
    means = output.gaussians.means[0].reshape(3, -1, 3)
    pixels, depth = project(means, cameras.cam_from_world[0], cameras.K[0])
    torch.testing.assert_close(pixels, pixel_grid(64, 64).reshape(1, -1, 2).expand(3, -1, 2), atol=2e-3, rtol=1e-4)
    torch.testing.assert_close(depth, output.log_depth[0].exp().flatten(1) * output.unit[0])


def test_the_result_scales_with_the_unit_of_the_poses(small_network, generator):
    cameras = cameras_on_a_line(2)
    images = torch.rand(1, 2, 3, 64, 64, generator=generator)
    scaled = cameras.cam_from_world.clone()
    scaled[..., :3, 3] *= 10
    with torch.no_grad():
        a, b = small_network(images, *cameras[:2]), small_network(images, scaled, cameras.K)
    torch.testing.assert_close(b.gaussians.means, 10 * a.gaussians.means, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(b.gaussians.scales, 10 * a.gaussians.scales, atol=1e-4, rtol=1e-3)


def test_the_result_moves_with_the_world(small_network, generator):
    cameras = cameras_on_a_line(2)
    images = torch.rand(1, 2, 3, 64, 64, generator=generator)
    motion = rigid(rotation_from_quat(torch.tensor([0.9, 0.3, -0.2, 0.1])), torch.tensor([0.5, -1.0, 2.0]))
    moved = cameras.cam_from_world @ torch.linalg.inv(motion)
    with torch.no_grad():
        a, b = small_network(images, *cameras[:2]), small_network(images, moved, cameras.K)
    expected = a.gaussians.means @ motion[:3, :3].T + motion[:3, 3]
    torch.testing.assert_close(b.gaussians.means, expected, atol=5e-3, rtol=5e-3)


def test_sources_and_unit_are_exact_under_autocast_and_far_from_the_origin():
    pose = cameras_on_a_line(30, step=0.3).cam_from_world.clone()
    pose[..., :3, 3] += 50
    plain = choose_sources(pose, 3)
    with torch.autocast("cpu", torch.bfloat16):
        sources = choose_sources(pose, 3)
        unit = reference_length(pose, sources)
    assert torch.equal(sources, plain)
    assert float(unit) == pytest.approx(0.9, rel=1e-3)


def test_coinciding_cameras_have_unit_length_one():
    pose = torch.eye(4).repeat(1, 3, 1, 1)
    assert reference_length(pose, choose_sources(pose, 2)).tolist() == [1.0]


@pytest.mark.parametrize(("num", "steps"), [(2, 1), (4, 3), (10, 3)])
def test_the_unit_does_not_grow_with_the_number_of_views(num, steps):
    pose = cameras_on_a_line(num, step=0.3).cam_from_world
    assert float(reference_length(pose, choose_sources(pose, 3))) == pytest.approx(0.3 * steps)


def test_weights_round_trip_in_float16(tmp_path, small_network):
    save_pretrained(tmp_path / "w", "ilrm-nano", small_network, SMALL)
    loaded = load_pretrained(tmp_path / "w")
    for key, value in small_network.state_dict().items():
        torch.testing.assert_close(loaded.network.state_dict()[key], value.half().float())
    assert len(loaded.sha256) == 64


def test_unknown_settings_and_other_shapes_are_refused(tmp_path, small_network):
    save_pretrained(tmp_path, "ilrm-nano", small_network, NanoConfig())
    with pytest.raises(CheckpointError, match="does not hold the weights"):
        load_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"network": "ilrm-nano", "config": {"class_path": "os.system"}}')
    with pytest.raises(CheckpointError, match="not the config"):
        load_pretrained(tmp_path)


def test_a_missing_folder_names_those_that_ship(tmp_path):
    with pytest.raises(CheckpointError, match=r"no model\.safetensors"):
        load_pretrained(tmp_path)
