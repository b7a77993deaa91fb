import math

import pytest
import torch

from recon.losses.depth import log_depth_l1, log_depth_robust, log_of_inverse, plane_cross_entropy
from recon.losses.photometric import gradient_l1

PLANES = torch.linspace(0, 3, 4)


def test_gradient_loss_ignores_a_constant_shift(generator):
    image = torch.rand(2, 3, 8, 8, generator=generator)
    assert float(gradient_l1(image + 0.3, image)) == pytest.approx(0, abs=1e-6)
    assert float(gradient_l1(image.flip(-1), image)) > 0.1


def test_log_depth_loss_is_the_relative_error():
    target = torch.zeros(1, 2, 2)
    valid = torch.tensor([[[True, True], [True, False]]])
    estimate = target + math.log(1.1)
    estimate[..., 1, 1] = 100
    assert float(log_depth_l1(estimate, target, valid)) == pytest.approx(math.log(1.1))


def test_the_robust_depth_loss_counts_small_errors_whole_and_hardly_pulls_at_large_ones():
    valid = torch.ones(1, 1, 2, dtype=torch.bool)
    estimate = torch.tensor([[[0.001, 5.0]]], requires_grad=True)
    loss = log_depth_robust(estimate, torch.zeros(1, 1, 2), valid, knee=0.05)
    (gradient,) = torch.autograd.grad(loss, estimate)
    assert gradient[0, 0, 0] == pytest.approx(0.5, rel=0.03)
    assert gradient[0, 0, 1] == pytest.approx(0.5 * 0.05 / 5.05, rel=1e-4)
    assert float(log_depth_robust(torch.full((1, 1, 2), 0.1), torch.zeros(1, 1, 2), valid)) == pytest.approx(
        0.05 * math.log(3), rel=1e-5
    )


def test_no_valid_pixel_costs_nothing():
    assert float(log_depth_l1(torch.ones(1, 2, 2), torch.zeros(1, 2, 2), torch.zeros(1, 2, 2, dtype=torch.bool))) == 0


def test_cross_entropy_is_least_at_the_interpolated_distribution(generator):
    target, valid = torch.full((1, 1, 1), 1.25), torch.ones(1, 1, 1, dtype=torch.bool)
    ideal = torch.tensor([1e-9, 0.75, 0.25, 1e-9]).log()[None, :, None, None]
    best = float(plane_cross_entropy(ideal, PLANES, target, valid))
    assert best == pytest.approx(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)), rel=1e-4)
    for _ in range(20):
        other = ideal + torch.randn(1, 4, 1, 1, generator=generator)
        assert float(plane_cross_entropy(other, PLANES, target, valid)) >= best - 1e-6


@pytest.mark.parametrize(("value", "plane"), [(-5.0, 0), (3.0, 3), (99.0, 3)])
def test_depth_outside_the_range_counts_as_its_end(value, plane):
    logits = torch.full((1, 4, 1, 1), -20.0)
    logits[0, plane] = 20
    target, valid = torch.full((1, 1, 1), value), torch.ones(1, 1, 1, dtype=torch.bool)
    assert float(plane_cross_entropy(logits, PLANES, target, valid)) == pytest.approx(0, abs=1e-4)


def test_infinity_becomes_the_farthest_depth():
    log_depth = log_of_inverse(torch.tensor([[[0.0, 0.5]]]), lowest=0.01)
    torch.testing.assert_close(log_depth, torch.tensor([[[math.log(100), math.log(2)]]]))
