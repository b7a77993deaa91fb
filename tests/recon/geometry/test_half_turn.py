import pytest
import torch

from recon.geometry.half_turn import turned_about_x
from recon.geometry.spherical_harmonics import evaluate_harmonics
from recon.types import Cameras, Gaussians

HALF_TURN = torch.diag(torch.tensor([1.0, -1.0, -1.0]))


def gaussians_of(degree: int) -> Gaussians:
    generator = torch.Generator().manual_seed(0)
    return Gaussians(
        means=torch.randn(30, 3, generator=generator),
        scales=(torch.randn(30, 3, generator=generator) - 2).exp(),
        quats=torch.nn.functional.normalize(torch.randn(30, 4, generator=generator), dim=1),
        opacities=torch.rand(30, generator=generator),
        sh=torch.randn(30, (degree + 1) ** 2, 3, generator=generator),
    )


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_colours_turn_with_the_world(degree: int):
    gaussians = gaussians_of(degree)
    directions = torch.nn.functional.normalize(torch.randn(30, 3, generator=torch.Generator().manual_seed(1)), dim=1)
    before = evaluate_harmonics(gaussians.sh, directions, degree)
    after = evaluate_harmonics(turned_about_x(gaussians).sh, directions @ HALF_TURN, degree)
    assert torch.allclose(before, after, atol=1e-5)


@pytest.mark.parametrize("degree", [0, 3])
def test_a_camera_that_turns_along_sees_the_same_picture(degree: int):
    from recon.render import render

    gaussians = gaussians_of(degree)
    pose = torch.eye(4)
    pose[2, 3] = 4
    turned = pose.clone()
    turned[:3, :3] = pose[:3, :3] @ HALF_TURN
    K, size = torch.tensor([[[30.0, 0, 16], [0, 30, 12], [0, 0, 1]]]), torch.tensor([[32, 24]])
    before = render(gaussians, Cameras(pose[None], K, size)).color
    after = render(turned_about_x(gaussians), Cameras(turned[None], K, size)).color
    assert float(before.max() - before.min()) > 0.2
    assert torch.allclose(before, after, atol=1e-5)


def test_two_half_turns_change_nothing():
    gaussians = gaussians_of(3)
    again = turned_about_x(turned_about_x(gaussians))
    assert all(torch.equal(getattr(again, name), getattr(gaussians, name)) for name in vars(gaussians))
