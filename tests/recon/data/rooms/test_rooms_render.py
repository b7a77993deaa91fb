from dataclasses import replace

import numpy as np
import pytest

from recon.data.rooms.bake import bake, cosine_directions
from recon.data.rooms.library import Texture, build_pyramid
from recon.data.rooms.mesh import rectangle
from recon.data.rooms.render import View, expose, render, trace_views
from recon.data.rooms.tone import CameraResponse, develop, sample_response
from recon.data.rooms.trajectory import intrinsics, look
from recon.data.rooms.world import Lamp, Material, Portal, Sun, World, WorldBuilder

WHITE = Material()
RESPONSE = CameraResponse(0.5, (1.0, 1.0, 1.0), 1.0, 1.0, 0.0, 0.0, (0.0,))
DOWN = View(look(np.array([0, 0, 2.0]), 0.0, -np.pi / 2 + 1e-4, 0.0), intrinsics(1.0, 32), (32, 32))


def ground(half: float = 30.0, spacing: float = 2.0):
    return rectangle(np.array([-half, -half, 0]), np.array([2 * half, 0, 0]), np.array([0, 2 * half, 0]), spacing)


def outdoor_world(material: Material = WHITE, texture: Texture | None = None) -> World:
    builder = WorldBuilder()
    sky = Texture(build_pyramid(np.full((4, 4, 3), 200, np.uint8)), 4, 1.0)
    builder.lighting.panorama = builder.texture("sky", 0, sky)
    if texture is not None:
        material = replace(material, texture=builder.texture("test", 0, texture))
    builder.add(ground(), material, exterior=True)
    return builder.build()


def light_at_origin(world: World) -> np.ndarray:
    vertex = int(np.linalg.norm(world.positions, axis=1).argmin())
    up = np.array([[0, 0, 1]], np.float32)
    return bake(world, np.array([vertex]), up)[vertex]


def test_directions_have_the_cosine_distribution():
    directions = cosine_directions(256)
    assert np.allclose(np.linalg.norm(directions, axis=1), 1, atol=1e-5)
    assert directions[:, 2].mean() == pytest.approx(2 / 3, abs=0.01)
    assert np.abs(directions[:, :2].mean(0)).max() < 0.01


def test_under_an_open_sky_of_radiance_one_irradiance_is_pi():
    assert light_at_origin(outdoor_world()) == pytest.approx([1, 1, 1], abs=1e-4)


def test_a_black_wall_beside_a_point_takes_half_of_the_sky():
    builder = WorldBuilder()
    builder.add(ground(), Material(), exterior=True)
    wall = rectangle(np.array([0.02, -50, 0]), np.array([0, 100.0, 0]), np.array([0, 0, 100.0]), 50.0)
    builder.add(wall, Material(tint=(0.0, 0.0, 0.0)), exterior=True)
    assert light_at_origin(builder.build()) == pytest.approx([0.5] * 3, abs=0.08)


def test_a_lamp_obeys_the_inverse_square_law():
    builder = WorldBuilder()
    builder.add(ground(), Material(tint=(0.0, 0.0, 0.0)))
    builder.lighting.ambient = (0.0, 0.0, 0.0)
    builder.lighting.lamps.append(Lamp((0.0, 0.0, 3.0), 0.0, (9 * np.pi,) * 3))
    assert light_at_origin(builder.build()) == pytest.approx([1, 1, 1], abs=0.01)


def test_a_large_window_overhead_lights_like_the_sky():
    builder = WorldBuilder()
    builder.add(ground(), Material(tint=(0.0, 0.0, 0.0)))
    builder.lighting.ambient = (0.0, 0.0, 0.0)
    half = 1.0
    builder.lighting.portals.append(Portal((-half, half, 2.0), (2 * half, 0.0, 0.0), (0.0, -2 * half, 0.0), (1.0,) * 3))
    a = half / 2.0
    quarter = a / np.hypot(1, a) * np.arctan(a / np.hypot(1, a)) / np.pi  # form factor to a corner rectangle, x2 sides
    assert light_at_origin(builder.build())[0] == pytest.approx(4 * quarter, rel=0.05)


def test_sunlit_matte_ground_has_the_lambert_radiance():
    world = outdoor_world(Material(tint=(0.5, 0.25, 1.0)))
    world.lighting.sky = (0.0, 0.0, 0.0)
    world.lighting.sun = Sun((0.0, 0.6, 0.8), (1.0, 1.0, 1.0))
    traced = trace_views(world, [DOWN])
    radiance, _ = expose(world, traced, np.zeros_like(world.positions), RESPONSE)
    assert np.allclose(radiance, [0.4, 0.2, 0.8], atol=1e-4)


def test_depth_of_a_plane_seen_at_right_angles_is_its_distance():
    renders = render(outdoor_world(), [DOWN], RESPONSE)
    assert renders.inverse_depth == pytest.approx(0.5, abs=1e-4)


def test_the_sky_has_inverse_depth_zero_and_its_own_colour():
    up = replace(DOWN, cam_from_world=look(np.array([0, 0, 2.0]), 0.0, 1.2, 0.0))
    renders = render(outdoor_world(), [up], RESPONSE)
    assert (renders.inverse_depth == 0).all()
    assert renders.images.std() < 1


def test_a_fine_texture_far_away_fades_to_its_mean():
    checker = np.where((np.indices((64, 64)).sum(0) % 2)[..., None], 255, 0).astype(np.uint8).repeat(3, 2)
    world = outdoor_world(Material(repeats=(8.0, 8.0)), Texture(build_pyramid(checker), 64, 1.0))
    images = render(world, [DOWN], RESPONSE).images
    assert images.std() < 2


def test_a_mirror_on_the_ground_shows_the_sky():
    world = outdoor_world(Material(tint=(0.0, 0.0, 0.0), mirror=0.9))
    world.lighting.sky = (0.0, 0.0, 0.0)
    assert render(world, [DOWN], RESPONSE).images.min() > 60


def test_borders_are_smoothed():
    builder = WorldBuilder()
    builder.lighting.panorama = builder.texture(
        "sky", 0, Texture(build_pyramid(np.full((4, 4, 3), 9, np.uint8)), 4, 1.0)
    )
    builder.add(ground(), Material(emission=(1.0, 1.0, 1.0)), exterior=True)
    tilted = np.array([[0.96, -0.28, 0], [0.28, 0.96, 0], [0, 0, 1.0]])
    card = rectangle(np.array([0, -5, 0.5]), np.array([5.0, 0, 0]), np.array([0, 10.0, 0]), 5.0)
    builder.add(card.moved(tilted, np.zeros(3)), Material(tint=(0.0, 0.0, 0.0)), exterior=True)
    image = render(builder.build(), [DOWN], RESPONSE).images[0, ..., 0].astype(int)
    between = (image > image.min() + 20) & (image < image.max() - 20)
    assert 10 < between.sum() < 100


def test_developing_keeps_order_and_reaches_black_and_white():
    ramp = np.linspace(0, 3, 64, dtype=np.float32)[None, None, :, None].repeat(3, -1).repeat(4, 1)
    image = develop(ramp, 1.0, replace(RESPONSE, shoulder=0.6, contrast=1.2, glow=0.05))[0, 0, :, 0].astype(int)
    assert (np.diff(image) >= 0).all()
    assert image[0] == 0
    assert image[-1] >= 245


def test_exposure_steps_are_stops():
    flat = np.full((2, 8, 8, 3), 0.1, np.float32)
    bright = develop(flat, 1.0, replace(RESPONSE, exposure_steps=(0.0, 1.0)))
    linear = (bright[:, 0, 0, 0] / 255.0 + 0.055) / 1.055
    assert (linear[1] / linear[0]) ** 2.4 == pytest.approx(2.0, rel=0.03)


def test_white_balance_drifts_between_red_and_blue_and_leaves_green():
    flat = np.full((2, 4, 4, 3), 0.2, np.float32)
    first, second = develop(flat, 1.0, replace(RESPONSE, balance_steps=(0.0, 0.1)))[:, 0, 0].astype(int)
    assert second[0] > first[0]
    assert second[1] == first[1]
    assert second[2] < first[2]


def test_softness_blurs_edges_and_sharpening_leaves_halos():
    step = np.full((1, 16, 16, 3), 0.1, np.float32)
    step[:, :, 8:] = 0.4
    sharp, soft, halo = (
        develop(step, 1.0, replace(RESPONSE, softness=s, sharpening=u))[0, 8, :, 1].astype(int)
        for s, u in ((0.0, 0.0), (1.0, 0.0), (0.0, 0.6))
    )
    assert np.abs(np.diff(soft)).max() < 0.6 * np.abs(np.diff(sharp)).max()
    assert halo.max() > sharp.max() + 3
    assert halo.min() < sharp.min() - 3


def test_exposure_drifts_far_in_about_a_quarter_of_the_paths():
    steps = np.array([sample_response(np.random.default_rng(seed), 8).exposure_steps for seed in range(400)])
    spread = steps.max(1) - steps.min(1)
    assert np.abs(steps).max() < 0.65
    assert np.abs(steps.mean(1)).max() < 1e-9
    assert 0.1 < (spread > 0.25).mean() < 0.35
    assert np.median(spread) < 0.15
