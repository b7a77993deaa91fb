"""Figures of matrices whose spectrum is known."""

import math

import pytest
import torch

from models.diagnostics.gram import spectral_norm_bound
from models.diagnostics.heavy_tail import heavy_tail_exponent, hill_exponent
from models.diagnostics.rotation import is_chance, layer_rotation
from models.diagnostics.utilisation import hard_rank, soft_rank, squared_singular_values


def orthogonal(size: int, generator: torch.Generator) -> torch.Tensor:
    return torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64))[0]


def power_law(alpha: float, count: int) -> torch.Tensor:
    """Quantiles of the density l^-alpha above 1."""
    places = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    return places ** (-1 / (alpha - 1))


def test_a_layer_is_not_turned_from_itself_and_opposite_to_its_negative(generator) -> None:
    weight = torch.randn(5, 7, generator=generator)
    assert layer_rotation(weight, 3 * weight) == pytest.approx(0, abs=1e-12)
    assert layer_rotation(weight, -weight) == pytest.approx(2)


def test_rotation_by_a_known_angle() -> None:
    turned = torch.tensor([[math.cos(0.7), math.sin(0.7)]], dtype=torch.float64)
    assert layer_rotation(turned, torch.tensor([[2.0, 0.0]])) == pytest.approx(1 - math.cos(0.7))


def test_zeros_have_no_direction() -> None:
    assert layer_rotation(torch.zeros(3), torch.ones(3)) is None


def test_independent_layers_are_at_a_right_angle_by_chance_and_others_are_not(generator) -> None:
    a, b = torch.randn(2, 64, 64, generator=generator)
    unrelated, related = layer_rotation(a, b), layer_rotation(a, b + 0.2 * a)
    assert unrelated is not None
    assert related is not None
    assert is_chance(unrelated, a.numel())
    assert not is_chance(related, a.numel())


def test_ranks_of_an_orthogonal_matrix_are_full(generator) -> None:
    values = squared_singular_values(5 * orthogonal(12, generator))
    assert hard_rank(values) == pytest.approx(12)
    assert soft_rank(values) == pytest.approx(12)


def test_ranks_of_an_outer_product_are_one(generator) -> None:
    values = squared_singular_values(torch.outer(torch.randn(9, generator=generator), torch.arange(1.0, 5)))
    assert hard_rank(values) == pytest.approx(1)
    assert soft_rank(values) == pytest.approx(1, abs=1e-6)


def test_ranks_of_two_eigenvalues_by_hand() -> None:
    values = torch.tensor([3.0, 1.0, 0.0])
    assert hard_rank(values) == pytest.approx(16 / 10)
    assert soft_rank(values) == pytest.approx(math.exp(-0.75 * math.log(0.75) - 0.25 * math.log(0.25)))


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_ranks_do_not_depend_on_scale(scale: float) -> None:
    values = scale * torch.tensor([4.0, 2.0, 1.0], dtype=torch.float64)
    assert hard_rank(values) == pytest.approx(49 / 21)


def test_nothing_has_rank_zero() -> None:
    assert hard_rank(torch.zeros(4)) == soft_rank(torch.zeros(4)) == 0


@pytest.mark.parametrize("alpha", [1.7, 2.5, 4.0])
def test_exponent_of_a_power_law(alpha: float) -> None:
    assert hill_exponent(power_law(alpha, 4000)) == pytest.approx(alpha, rel=0.01)


def test_hill_by_hand() -> None:
    """Half of four eigenvalues above the third: ln(8/2) + ln(4/2) = 3 ln 2."""
    assert hill_exponent(torch.tensor([1.0, 2.0, 4.0, 8.0])) == pytest.approx(1 + 2 / (3 * math.log(2)))


def test_one_window_sees_the_spectrum_of_the_matrix(generator) -> None:
    left, right = orthogonal(100, generator), orthogonal(100, generator)
    matrix = left @ power_law(2.0, 100).sqrt().diag() @ right
    assert heavy_tail_exponent(1e-3 * matrix) == pytest.approx(hill_exponent(power_law(2.0, 100)), rel=1e-6)


def test_exponent_is_fair_between_shapes(generator) -> None:
    """Random numbers are no better trained for standing in a longer matrix; the plain estimate says they are."""
    square, wide = torch.randn(64, 64, generator=generator), torch.randn(64, 1024, generator=generator)
    fair = [heavy_tail_exponent(matrix, side=64) for matrix in (square, wide, wide.T)]
    plain = [hill_exponent(squared_singular_values(matrix)) for matrix in (square, wide)]
    assert fair[1] == pytest.approx(fair[0], rel=0.05)
    assert fair[2] == pytest.approx(fair[1], rel=1e-6)
    assert plain[1] > 2 * plain[0]


def test_windows_reach_every_border() -> None:
    """Energy in a corner that no window saw would leave the figure as it was."""
    for shape in ((5, 13), (13, 5), (11, 11)):
        corner = torch.eye(*shape)
        changed = corner.clone()
        changed[-1, -1] += 3
        assert heavy_tail_exponent(corner, side=5) != heavy_tail_exponent(changed, side=5)


def test_a_flat_spectrum_has_no_tail_and_nothing_has_no_spectrum(generator) -> None:
    assert heavy_tail_exponent(orthogonal(16, generator)) == math.inf
    assert heavy_tail_exponent(torch.zeros(16, 16)) is None
    assert heavy_tail_exponent(torch.ones(2, 3)) is None


def test_bound_of_an_orthogonal_matrix_is_its_closed_form(generator) -> None:
    """All singular values 3, so the Frobenius norm of the power is 3^64 sqrt(16)."""
    bound = spectral_norm_bound(3 * orthogonal(16, generator), iterations=6)
    assert float(bound) == pytest.approx(3 * 16 ** (1 / 128))


def test_bound_of_an_outer_product_is_exact(generator) -> None:
    a, b = torch.randn(2, 20, generator=generator, dtype=torch.float64)
    assert float(spectral_norm_bound(torch.outer(a, b), iterations=1)) == pytest.approx(float(a.norm() * b.norm()))


@pytest.mark.parametrize("shape", [(7, 30), (30, 7), (20, 20)])
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_bound_is_above_the_norm_and_near_it(shape: tuple[int, int], scale: float, generator) -> None:
    matrix = scale * torch.randn(*shape, generator=generator, dtype=torch.float64)
    norm, rank = float(torch.linalg.matrix_norm(matrix, 2)), min(shape)
    bounds = [float(spectral_norm_bound(matrix, iterations=n)) for n in range(8)]
    assert bounds[0] == pytest.approx(float(torch.linalg.matrix_norm(matrix)))
    for n, bound in enumerate(bounds):
        assert norm <= bound * (1 + 1e-12)
        assert bound <= norm * rank ** (1 / 2 ** (n + 1)) * (1 + 1e-12)


def test_bound_is_differentiable(generator) -> None:
    matrix = torch.randn(4, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda m: spectral_norm_bound(m, iterations=3), (matrix,))


def test_bound_of_nothing_is_zero() -> None:
    assert float(spectral_norm_bound(torch.zeros(3, 5))) == 0
