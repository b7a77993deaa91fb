"""A local stage of the depth cascade, on a textured wall in front of two cameras."""

import pytest
import torch

from models.ilrm.nano.config import NanoConfig
from models.ilrm.nano.consistency import consistency
from models.ilrm.nano.network import NanoILRM
from models.ilrm.nano.stage import DepthStage, expectation
from models.ilrm.nano.sweep import PosedCameras, SweepGeometry, choose_sources, whole_images

DEPTH, BASELINE, FOCAL, SIDE = 2.0, 0.4, 60.0, 64
SIZES = {"match_dim": 8, "num_planes": 9, "reach": 0.2, "num_blocks": 1}


def wall_views(generator: torch.Generator) -> tuple[torch.Tensor, SweepGeometry]:
    """Features of a fronto-parallel wall at DEPTH, seen by two cameras side by side."""
    texture = torch.randn(1, 8, 1, 400, generator=generator).expand(1, 8, SIDE, 400)
    shift = round(FOCAL * BASELINE / DEPTH)
    features = torch.cat([texture[..., 100 : 100 + SIDE], texture[..., 100 + shift : 100 + shift + SIDE]])
    pose = torch.eye(4).repeat(1, 2, 1, 1)
    pose[0, 1, 0, 3] = -BASELINE
    K = torch.tensor([[FOCAL, 0, SIDE / 2], [0, FOCAL, SIDE / 2], [0, 0, 1]]).expand(1, 2, 3, 3)
    cameras = PosedCameras(pose, K, whole_images(features[None]))
    return features, SweepGeometry(cameras, choose_sources(pose, 1), torch.ones(1))


def plain_stage() -> DepthStage:
    """One that matches the features as they are and changes nothing of what matching says."""
    torch.manual_seed(0)
    stage = DepthStage(8, 8, 4, 16, **SIZES)
    with torch.no_grad():
        stage.match.weight.copy_(torch.eye(8)[..., None, None])
        for part in (stage.match.bias, stage.match_above.weight, stage.match_above.bias, stage.head.weight):
            part.zero_()
        stage.match_scale.fill_(200)
    return stage


@pytest.mark.parametrize("wrong", [-0.15, -0.05, 0.1])
def test_matching_draws_a_wrong_depth_to_the_wall(generator, wrong):
    features, geometry = wall_views(generator)
    start = torch.full((2, 1, SIDE, SIDE), DEPTH).log() + wrong
    with torch.no_grad():
        output = plain_stage()(
            features, features[..., ::2, ::2], torch.zeros(2, 4, SIDE, SIDE), start, geometry, stride=1
        )
    seen_by_both = output.depth.log_depth[0, 8:-8, 24:-8]
    assert float((seen_by_both.exp() - DEPTH).abs().median()) < 0.02
    assert torch.equal(output.depth.centre, start[:, 0])
    assert output.enlarged.shape == (2, 1, 2 * SIDE, 2 * SIDE)


def test_a_depth_beyond_reach_moves_no_farther_than_that(generator):
    features, geometry = wall_views(generator)
    start = torch.full((2, 1, SIDE, SIDE), DEPTH).log() + 1
    output = plain_stage()(features, features[..., ::2, ::2], torch.zeros(2, 4, SIDE, SIDE), start, geometry, stride=1)
    assert float((output.depth.log_depth - start[:, 0]).detach().abs().max()) <= SIZES["reach"] + 1e-5


def test_no_gradient_reaches_the_depth_before_through_the_places_that_are_looked_at(generator):
    """It comes back through the sum alone: centre plus offset has slope one."""
    features, geometry = wall_views(generator)
    start = torch.full((2, 1, SIDE, SIDE), DEPTH).log().requires_grad_()
    stage = plain_stage()
    with torch.no_grad():
        stage.enter.weight.zero_()
    output = stage(features, features[..., ::2, ::2], torch.zeros(2, 4, SIDE, SIDE), start, geometry, stride=1)
    (gradient,) = torch.autograd.grad(output.depth.log_depth.sum(), start)
    torch.testing.assert_close(gradient, torch.ones_like(gradient))


def test_true_depths_of_two_views_agree_and_a_floater_is_seen_in_front(generator):
    features, geometry = wall_views(generator)
    images = features[None, :, :3] * 0.1 + 0.5
    depth = torch.full((2, 1, SIDE, SIDE), DEPTH)
    mean, least, front, colour = consistency(images, depth.log(), geometry, stride=1)[0]
    assert float(mean.max()) < 1e-5
    assert float(least.max()) < 1e-5
    assert float(colour[:, 24:-8].max()) < 1e-3
    depth[0, 0, 20:40, 30:40] = 0.8 * DEPTH
    mean, _, front, colour = consistency(images, depth.log(), geometry, stride=1)[0]
    torch.testing.assert_close(front[25:35, 32:38], torch.full((10, 6), 0.2231), atol=1e-3, rtol=0)
    assert float(front[:15].max()) < 1e-5
    assert float(colour[25:35, 32:38].mean()) > 0.05
    depth[0, 0, 20:40, 30:40] = 1.2 * DEPTH
    mean, _, front, _ = consistency(images, depth.log(), geometry, stride=1)[0]
    assert float(front.max()) < 1e-5
    torch.testing.assert_close(mean[25:35, 34:38], torch.full((10, 4), 0.1823), atol=1e-3, rtol=0)


def test_what_no_source_sees_is_told_as_nothing(generator):
    features, geometry = wall_views(generator)
    images = features[None, :, :3] * 0.1 + 0.5
    told = consistency(images, torch.full((2, 1, SIDE, SIDE), -2.0), geometry, stride=1)
    assert torch.equal(told, torch.zeros_like(told))


def test_the_expectation_of_equal_logits_is_the_mean():
    values = torch.tensor([1.0, 2.0, 6.0])
    torch.testing.assert_close(expectation(torch.zeros(2, 3, 4, 5), values), torch.full((2, 4, 5), 3.0))


def test_every_stage_and_every_weight_takes_part(generator):
    torch.manual_seed(0)
    small = {"dim": 32, "head_dim": 16, "num_layers": 1, "feature_dim": 16, "match_dim": 8, "coarse_planes": 8}
    network = NanoILRM(NanoConfig(**small, fine_planes=4, finest_planes=4))
    assert network.feedback is not None
    torch.nn.init.normal_(network.feedback.head.weight, std=0.01)  # zero at first, and nothing flows back
    _, geometry = wall_views(generator)
    output = network(torch.rand(1, 2, 3, SIDE, SIDE, generator=generator), *geometry.cameras[:2])
    assert [tuple(stage.log_depth.shape) for stage in output.stages] == [(2, 16, 16), (2, 32, 32)]
    total = output.log_depth.sum() + sum(field.square().sum() for field in output.gaussians)
    total.backward()
    still = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert all("match_scale" in name or "conv1" in name or "norm" in name for name in still), still
