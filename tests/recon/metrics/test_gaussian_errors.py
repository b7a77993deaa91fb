import math

import pytest
import torch

from recon.metrics.gaussians import largest_errors
from recon.types import Gaussians


def identical(num: int, coefficients: int = 1) -> Gaussians:
    quats = torch.tensor([1.0, 0, 0, 0]).repeat(num, 1)
    return Gaussians(
        torch.zeros(num, 3), torch.ones(num, 3), quats, torch.full((num,), 0.5), torch.zeros(num, coefficients, 3)
    )


def test_equal_sets_have_no_error_and_neither_have_empty_ones():
    for num in (0, 3):
        assert set(largest_errors(identical(num), identical(num)).values()) == {0.0}


def test_each_field_has_its_measure():
    result, angle = identical(2), 1e-3
    result.means[1, 2] = -0.25
    result.scales[0, 1] = 1.5
    result.quats[1] = -torch.tensor([math.cos(angle / 2), 0, math.sin(angle / 2), 0])
    result.opacities[0] = 0.75
    result.sh[1, 0, 1] = -2
    errors = largest_errors(result, identical(2))
    expected = {"means": 0.25, "scales": 0.5, "rotation_deg": math.degrees(angle), "opacities": 0.25, "sh": 2.0}
    assert errors == pytest.approx(expected, rel=1e-3)


def test_coefficients_that_are_gone_count():
    full = identical(1, 4)
    full.sh[0, 3, 0] = 0.5
    assert largest_errors(identical(1), full)["sh"] == largest_errors(full, identical(1))["sh"] == 0.5


def test_sets_of_different_number_are_not_compared():
    with pytest.raises(ValueError, match="1 Gaussians against 2"):
        largest_errors(identical(1), identical(2))
