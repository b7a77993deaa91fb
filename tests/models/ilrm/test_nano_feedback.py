"""Corrections by what the Gaussians show, on a wall in front of two cameras."""

from dataclasses import replace

import pytest
import torch

from models.ilrm.nano.config import FeedbackConfig
from models.ilrm.nano.decoder import NUM_ATTRIBUTES, gaussians_from_maps
from models.ilrm.nano.feedback import NUM_MAPS, Feedback, Maps, compare
from models.ilrm.nano.network import NanoILRM
from models.ilrm.nano.sweep import PosedCameras, whole_images
from models.training import train
from recon.errors import InputError
from recon.geometry.se3 import rigid, rotation_from_quat
from recon.render.rasterizer import get_rasterizer
from tests.models.walls import DEPTH, SIDE, SMALL, small_run, wall

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")

WITH_FEEDBACK = replace(SMALL, feedback=FeedbackConfig(passes=2, width=16, blocks=1))
UNIT = torch.ones(1)


def two_views() -> tuple[torch.Tensor, PosedCameras]:
    scene = wall(0)
    images = torch.from_numpy(scene.images[[0, 4]]).permute(0, 3, 1, 2)[None] / 255
    pose = torch.from_numpy(scene.cam_from_world[[0, 4]])[None]
    return images, PosedCameras(pose, torch.from_numpy(scene.K[[0, 4]])[None], whole_images(images))


def maps_at(depth: float) -> Maps:
    """A wall of nearly opaque Gaussians."""
    attributes = torch.zeros(1, 2, NUM_ATTRIBUTES, SIDE, SIDE)
    attributes[:, :, 10] = 4
    return Maps(torch.full((1, 2, SIDE, SIDE), depth).log(), attributes)


def signals_at(depth: float) -> dict[str, torch.Tensor]:
    images, cameras = two_views()
    parts = compare(images, maps_at(depth).stacked(), cameras, UNIT).split([3, 1, 1, NUM_MAPS], dim=2)
    return dict(zip(("error", "alpha", "before", "gradient"), parts, strict=True))


def network_with_feedback() -> NanoILRM:
    """One whose feedback, unlike a new one's, changes something."""
    torch.manual_seed(0)
    network = NanoILRM(WITH_FEEDBACK).eval()
    assert network.feedback is not None
    for name, weight in network.feedback.named_parameters():
        if name in ("head.weight", "body.0.conv2.weight"):
            torch.nn.init.normal_(weight, std=0.02)
    return network


def test_a_new_feedback_changes_nothing():
    torch.manual_seed(0)
    images, cameras = two_views()
    maps = Maps(torch.randn(1, 2, SIDE, SIDE), torch.randn(1, 2, NUM_ATTRIBUTES, SIDE, SIDE))
    context = torch.randn(2, 8, SIDE // 2, SIDE // 2)
    after = Feedback(FeedbackConfig(passes=2, width=16, blocks=1), 8)(images, maps, context, cameras, UNIT)
    assert torch.equal(after.log_depth, maps.log_depth)
    assert torch.equal(after.attributes, maps.attributes)


def test_weights_without_feedback_have_no_such_parameters():
    without = replace(SMALL, feedback=FeedbackConfig(passes=0))
    assert not [name for name in NanoILRM(without).state_dict() if name.startswith("feedback")]
    assert [name for name in NanoILRM(WITH_FEEDBACK).state_dict() if name.startswith("feedback")]


def test_the_error_is_that_of_the_rendering():
    images, cameras = two_views()
    maps = maps_at(1.7)
    scene = gaussians_from_maps(images, maps.log_depth.exp(), maps.attributes, cameras).scene(0)
    rendering = get_rasterizer("torch")(
        *(scene.means, scene.quats, scene.scales, scene.opacities, scene.sh),
        *(cameras.cam_from_world[0], cameras.K[0], SIDE, SIDE),
        sh_degree=0,
        backgrounds=images.mean((1, 3, 4)).expand(2, 3),
    )
    told = signals_at(1.7)
    torch.testing.assert_close(told["error"][0] / 2, rendering.color.permute(0, 3, 1, 2) - images[0], atol=1e-4, rtol=0)
    torch.testing.assert_close(told["alpha"][0], rendering.alpha.permute(0, 3, 1, 2), atol=1e-4, rtol=0)


def test_the_gradient_points_from_a_wrong_depth_to_the_wall():
    """Views overlap in the middle; too near, the gradient asks for more depth, and too far for less."""
    middle = (0, slice(None), 0, slice(None), slice(16, SIDE - 16))
    near, far = (signals_at(depth)["gradient"][middle].mean() for depth in (0.93 * DEPTH, 1.07 * DEPTH))
    assert near < 0 < far


def test_the_true_wall_is_rendered_with_little_error_and_a_wrong_one_with_more():
    true, wrong = (signals_at(depth)["error"].abs().mean() for depth in (DEPTH, 0.8 * DEPTH))
    assert true < 0.7 * wrong


def test_what_hangs_in_front_of_the_other_view_is_told_to_it():
    """The first view's pixels stand at half of the wall's depth, which hides the second view's behind them."""
    images, cameras = two_views()
    maps = maps_at(DEPTH)
    maps.log_depth[:, 0] -= 0.7
    before = compare(images, maps.stacked(), cameras, UNIT)[0, :, 4, 8:-8, 24:-24]
    assert before[1].mean() > 1
    assert before[0].abs().mean() < 0.5


def test_what_lies_beyond_the_bounds_says_nothing():
    """Whatever colour and depth the rest of the second canvas has, no pixel of a photograph hears of it."""
    images, cameras = two_views()
    cameras = cameras._replace(bounds=torch.tensor([[[0.0, 0, SIDE, SIDE], [0, 0, SIDE - 24, SIDE]]]))
    other, maps = images.clone(), maps_at(DEPTH)
    other[:, 1, :, :, SIDE - 24 :] = 1 - other[:, 1, :, :, SIDE - 24 :]
    changed = Maps(maps.log_depth.clone(), maps.attributes)
    changed.log_depth[:, 1, :, SIDE - 24 :] -= 0.5
    a = compare(images, maps.stacked(), cameras, UNIT)
    b = compare(other, changed.stacked(), cameras, UNIT)
    torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)
    error, alpha, rest = a[0, 1, :, :, SIDE - 24 :].split([3, 1, 1 + NUM_MAPS])
    assert not error.any()
    assert bool((alpha == 1).all())
    assert not rest.any()
    whole = compare(other, changed.stacked(), cameras._replace(bounds=whole_images(images)), UNIT)
    assert float((whole - b)[0, 0].abs().max()) > 0.5


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_it_needs_gradients_where_none_are_recorded(mode):
    network = network_with_feedback()
    images, cameras = two_views()
    expected = network(images, *cameras[:2]).gaussians
    with mode():
        found = network(images, *cameras[:2]).gaussians
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a.clone(), b.detach())


def test_the_result_moves_and_scales_with_the_world():
    network = network_with_feedback()
    images, cameras = two_views()
    motion = rigid(rotation_from_quat(torch.tensor([0.9, 0.3, -0.2, 0.1])), torch.tensor([0.5, -1.0, 2.0]))
    moved = cameras.cam_from_world @ torch.linalg.inv(motion)
    moved[..., :3, 3] *= 10
    with torch.no_grad():
        a, b = network(images, *cameras[:2]).gaussians, network(images, moved, cameras.K).gaussians
    expected = 10 * (a.means @ motion[:3, :3].T + motion[:3, 3])
    error = (b.means - expected).norm(dim=-1) / expected.norm(dim=-1)
    assert float(error.quantile(0.99)) < 2e-3


def test_scenes_of_a_batch_do_not_see_each_other():
    network = network_with_feedback()
    images, cameras = two_views()
    other = images.flip(-1)
    with torch.no_grad():
        alone = network(images, *cameras[:2]).gaussians.means
        both = network(torch.cat([images, other]), *(torch.cat([part, part]) for part in cameras[:2])).gaussians.means
    torch.testing.assert_close(both[:1], alone, atol=1e-4, rtol=1e-4)


def test_what_it_says_reaches_every_part_of_the_network():
    """A new head is zero and holds gradients back; one that is not passes them to every parameter."""
    network = network_with_feedback()
    images, cameras = two_views()
    network(images, *cameras[:2]).gaussians.means.square().sum().backward()
    assert network.feedback is not None
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in network.feedback.parameters())
    assert network.match_coarse.weight.grad is not None


def test_a_run_leaves_weights_with_it(walls, tmp_path):
    config = replace(small_run(walls, tmp_path, max_steps=3), nano=WITH_FEEDBACK)
    folder = train(config)
    assert '"passes": 2' in (folder / "config.json").read_text()


@pytest.mark.parametrize(("sizes", "named"), [({"passes": -1}, "passes"), ({"passes": 1, "width": 12}, "width")])
def test_sizes_without_sense_are_refused(walls, tmp_path, sizes, named):
    config = replace(small_run(walls, tmp_path / "run"), nano=replace(SMALL, feedback=FeedbackConfig(**sizes)))
    with pytest.raises(InputError, match=named):
        train(config)
    assert not (tmp_path / "run").exists()
