import math

import pytest
import torch

from recon.geometry.spherical_harmonics import C0, evaluate_harmonics, harmonics, num_coefficients


def test_the_basis_is_orthonormal():
    # Gauss-Legendre in z times equal steps in the angle integrates products of degree 6 exactly
    steps = 16
    z = torch.tensor([-0.9602898565, -0.7966664774, -0.5255324099, -0.1834346425], dtype=torch.float64)
    weights = torch.tensor([0.1012285363, 0.2223810345, 0.3137066459, 0.3626837834], dtype=torch.float64)
    z, weights = torch.cat([z, -z.flip(0)]), torch.cat([weights, weights.flip(0)])
    angle = torch.arange(steps, dtype=torch.float64) * (2 * math.pi / steps)
    radius = (1 - z**2).sqrt()[:, None]
    directions = torch.stack([radius * angle.cos(), radius * angle.sin(), z[:, None].expand(-1, steps)], dim=-1)
    basis = torch.stack(harmonics(directions, 3))
    gram = torch.einsum("iza,jza,z->ij", basis, basis, weights * (2 * math.pi / steps))
    torch.testing.assert_close(gram, torch.eye(16, dtype=torch.float64), atol=1e-8, rtol=0)


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_same_as_gsplat(degree, generator):
    reference = pytest.importorskip("gsplat.cuda._torch_impl")
    coefficients = torch.randn(50, 16, 3, generator=generator, dtype=torch.float64)
    directions = torch.randn(50, 3, generator=generator, dtype=torch.float64)
    expected = reference._spherical_harmonics(degree, directions, coefficients)
    torch.testing.assert_close(evaluate_harmonics(coefficients, directions, degree), expected)


def test_degree_zero_does_not_depend_on_the_direction():
    coefficients = torch.ones(4, 1, 3)
    assert (evaluate_harmonics(coefficients, torch.zeros(4, 3), 0) == C0).all()


def test_number_of_coefficients():
    assert [num_coefficients(degree) for degree in range(4)] == [1, 4, 9, 16]
