import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.geometry.clean import finite_only
from recon.types import Gaussians


def constant(num: int, coefficients: int = 1) -> Gaussians:
    return Gaussians(
        means=torch.zeros(num, 3),
        scales=torch.ones(num, 3),
        quats=torch.tensor([1.0, 0, 0, 0]).repeat(num, 1),
        opacities=torch.ones(num),
        sh=torch.zeros(num, coefficients, 3),
    )


def test_good_gaussians_stay_as_they_are():
    gaussians = constant(3, 4)
    kept, dropped = finite_only(gaussians)
    assert dropped == 0
    assert all(torch.equal(getattr(kept, name), getattr(gaussians, name)) for name in vars(gaussians))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("means", math.nan),
        ("means", math.inf),
        ("means", -1e38),
        ("scales", 0.0),
        ("scales", -1.0),
        ("scales", math.nan),
        ("scales", math.inf),
        ("quats", math.nan),
        ("quats", 0.0),
        ("opacities", math.nan),
        ("opacities", math.inf),
        ("sh", math.nan),
        ("sh", -math.inf),
    ],
)
def test_each_defect_costs_that_gaussian_and_no_other(field: str, value: float):
    gaussians = constant(3)
    gaussians.means[:, 0] = torch.arange(3.0)
    getattr(gaussians, field)[1] = value
    kept, dropped = finite_only(gaussians)
    assert (dropped, kept.means[:, 0].tolist()) == (1, [0.0, 2.0])


def test_none_usable_and_none_at_all_give_an_empty_set_of_the_same_degree():
    for gaussians, expected in ((constant(0, 9), 0), (constant(4, 9), 4)):
        gaussians.sh[:] = math.nan
        kept, dropped = finite_only(gaussians)
        assert (len(kept), dropped, kept.sh_degree) == (0, expected, 2)


def test_values_of_meaning_are_clamped():
    gaussians = constant(2)
    gaussians.scales[0], gaussians.scales[1] = 1e-30, 1e25
    gaussians.opacities[:] = torch.tensor([-0.5, 1.5])
    gaussians.quats[:] = torch.tensor([[0.0, 2, 0, 0], [1e-6, 0, 0, 1e-6]])
    kept, dropped = finite_only(gaussians)
    assert dropped == 0
    assert kept.scales[:, 0].tolist() == pytest.approx([1e-18, 1e18])
    assert kept.opacities.tolist() == [0, 1]
    assert torch.allclose(kept.quats, torch.tensor([[0.0, 1, 0, 0], [0.5**0.5, 0, 0, 0.5**0.5]]))


FLOATS = st.floats(width=32) | st.sampled_from([0.0, 1.0, -1.0, math.nan, math.inf])


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(*[FLOATS] * 14), max_size=4))
def test_whatever_goes_in_valid_gaussians_come_out(rows: list[tuple[float, ...]]):
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 14)
    gaussians = Gaussians(table[:, :3], table[:, 3:6], table[:, 6:10], table[:, 10], table[:, None, 11:])
    kept, dropped = finite_only(gaussians)
    kept.validate()
    assert len(kept) + dropped == len(rows)
