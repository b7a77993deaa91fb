from dataclasses import replace

import pytest
import torch

from recon.errors import InputError
from recon.geometry.se3 import rigid, rotation_angle_deg, rotation_from_vector
from recon.refine.config import RefineConfig
from recon.refine.refine import refine
from recon.types import Gaussians, ViewSet
from tests.recon.refine.conftest import disturb, make_cameras, photograph

QUICK = RefineConfig(steps=60, exposure=False, check_every=20)


def test_a_disturbed_scene_comes_nearer_to_its_photographs(scene, views, depths):
    refined = refine(disturb(scene), views, depths, QUICK)
    assert refined.report["psnr_after"] > refined.report["psnr_before"] + 3
    refined.gaussians.validate()


def test_the_view_that_is_held_back_is_rendered_better_too(scene, views, depths):
    report = refine(disturb(scene), views, depths, QUICK, held_back=2).report
    assert report["psnr_after"] > report["psnr_before"] + 2


def test_fitting_stops_and_goes_back_when_the_held_back_view_gets_worse(scene, views, depths):
    images = views.images.clone()
    images[2] = torch.rand(images[2].shape, generator=torch.Generator().manual_seed(0))
    start = disturb(scene)
    config = replace(QUICK, steps=200, check_every=5, patience=2)
    refined = refine(start, replace(views, images=images), depths, config, held_back=2)
    assert refined.report["steps_run"] < 200
    assert refined.report["steps"] <= refined.report["steps_run"] - 10


def test_what_is_held_back_is_not_fitted(scene, views, depths):
    """With no look before the end, the fitted scene cannot know what the held-back photograph shows."""
    config = replace(QUICK, steps=10, check_every=10)
    brighter = views.images.clone()
    brighter[2] = (brighter[2] + 0.001).clamp(0, 1)
    a = refine(disturb(scene), views, depths, config, held_back=2)
    b = refine(disturb(scene), replace(views, images=brighter), depths, config, held_back=2)
    assert a.report["steps"] == b.report["steps"] == 10
    torch.testing.assert_close(a.gaussians.means, b.gaussians.means, rtol=0, atol=0)


def test_one_seed_gives_one_result(scene, views, depths):
    config = replace(QUICK, steps=8)
    a, b = (refine(disturb(scene), views, depths, config, seed=3).gaussians for _ in range(2))
    torch.testing.assert_close(a.sh, b.sh, rtol=0, atol=0)
    other = refine(disturb(scene), views, depths, config, seed=4).gaussians
    assert not torch.equal(a.sh, other.sh)


def test_exposures_are_told_apart_from_colours(scene, views, depths):
    gains = torch.tensor([0.8, 0.9, 1.0, 1.0, 1.1, 1.25])
    exposed = replace(views, images=views.images * gains[:, None, None, None])
    config = replace(QUICK, steps=120, exposure=False)
    without = refine(scene, exposed, depths, config, held_back=2).report
    with_exposure = refine(scene, exposed, depths, replace(config, exposure=True), held_back=2).report
    assert with_exposure["psnr_after"] > without["psnr_after"]


def test_poses_are_corrected(scene, views, depths):
    num = len(views)
    generator = torch.Generator().manual_seed(5)
    error = torch.deg2rad(0.3 * torch.randn(num, 3, generator=generator))
    true = views.posed_cameras
    wrong = replace(true, cam_from_world=rigid(rotation_from_vector(error), torch.zeros(num, 3)) @ true.cam_from_world)
    config = replace(QUICK, steps=200, poses=True)
    fitted = refine(scene, views.with_cameras(wrong), depths, config).cameras

    def relative(cameras):
        rotation = cameras.cam_from_world[:, :3, :3]
        return rotation[1:] @ rotation[:-1].mT

    before = rotation_angle_deg(relative(wrong), relative(true)).mean()
    after = rotation_angle_deg(relative(fitted), relative(true)).mean()
    assert float(after) < 0.5 * float(before)


def test_what_is_right_already_hardly_moves_with_many_views(scene):
    """Every view gets few steps, each of which may be no larger than its rate."""
    cameras = make_cameras(24)
    views = photograph(scene, cameras)
    config = replace(QUICK, steps=48, poses=True, exposure=True)
    refined = refine(scene, views, torch.full((24,), 3.0), config, held_back=3)
    moved = rotation_angle_deg(refined.cameras.cam_from_world[:, :3, :3], cameras.cam_from_world[:, :3, :3])
    assert float(moved.max()) <= float(torch.rad2deg(torch.tensor(3**0.5 * 2 * config.rates.rotation))) + 1e-4
    first = torch.equal(refined.cameras.cam_from_world[0], cameras.cam_from_world[0])
    held_back = torch.equal(refined.cameras.cam_from_world[3], cameras.cam_from_world[3])
    assert first
    assert held_back


def test_given_poses_do_not_move(scene, views, depths):
    cameras = refine(disturb(scene), views, depths, replace(QUICK, steps=3)).cameras
    assert torch.equal(cameras.cam_from_world, views.posed_cameras.cam_from_world)


def test_pixels_outside_the_photograph_do_not_count(scene, views, depths):
    masks = views.masks.clone()
    masks[:, :, :10] = False
    images = views.images.clone()
    images[:, :, :, :10] = 1.0
    config = replace(QUICK, steps=10)
    a = refine(disturb(scene), replace(views, masks=masks), depths, config).gaussians
    b = refine(disturb(scene), replace(views, masks=masks, images=images), depths, config).gaussians
    torch.testing.assert_close(a.sh, b.sh, rtol=0, atol=0)


def test_progress_counts_up_to_the_end(scene, views, depths):
    told = []
    refine(disturb(scene), views, depths, replace(QUICK, steps=50), progress=lambda *now: told.append(now))
    assert [done for done, _, _ in told] == [20, 40, 50]
    assert told[-1][2] == 0


def empty(scene: Gaussians) -> Gaussians:
    return scene[:0]


def test_nothing_to_refine(scene, views: ViewSet, depths):
    with pytest.raises(InputError, match="nothing to refine"):
        refine(empty(scene), views, depths, QUICK)
    with pytest.raises(InputError, match="nothing to refine"):
        refine(scene, views[[0]], depths[:1], QUICK, held_back=0)
