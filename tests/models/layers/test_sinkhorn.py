import pytest
import torch

from models.layers.sinkhorn import log_sinkhorn, sinkhorn
from recon.errors import InputError


def scores(rows: int, columns: int) -> torch.Tensor:
    return 3 * torch.randn(2, rows, columns, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("rows", "columns"), [(6, 6), (4, 9), (9, 4), (1, 1)])
def test_equals_scaling_rows_and_columns_in_turn(rows: int, columns: int):
    x = scores(rows, columns)
    plan = x.exp()
    for _ in range(2):
        plan = plan / plan.sum(-1, keepdim=True)
        plan = plan / plan.sum(-2, keepdim=True) * (rows / columns)
    plan = plan / plan.sum(-1, keepdim=True)
    torch.testing.assert_close(sinkhorn(x, steps=5), plan, rtol=1e-10, atol=1e-10)


def test_rows_are_exact_and_columns_nearly_after_many_steps():
    plan = sinkhorn(scores(5, 8), steps=201)
    torch.testing.assert_close(plan.sum(-1), torch.ones(2, 5, dtype=torch.float64), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(plan.sum(-2), torch.full((2, 8), 5 / 8, dtype=torch.float64), rtol=1e-6, atol=1e-6)


def test_one_step_is_a_softmax():
    torch.testing.assert_close(sinkhorn(scores(4, 7), steps=1), scores(4, 7).softmax(-1))


def test_what_belongs_to_a_row_and_a_column_alone_makes_no_difference():
    x = scores(6, 6)
    shifted = x + 5 * torch.arange(6.0, dtype=x.dtype) + 3 * torch.arange(6.0, dtype=x.dtype)[:, None]
    torch.testing.assert_close(sinkhorn(shifted, steps=401), sinkhorn(x, steps=401), rtol=1e-6, atol=1e-8)


def test_large_scores_stay_finite():
    plan = log_sinkhorn(1e4 * scores(5, 5), steps=21)
    assert plan.isfinite().all()


def test_gradients_flow_through_both_potentials():
    x = scores(3, 4)[0].requires_grad_()
    assert torch.autograd.gradcheck(lambda s: sinkhorn(s, steps=5), (x,))


@pytest.mark.parametrize("steps", [0, 2, -1])
def test_even_steps_would_leave_rows_inexact(steps: int):
    with pytest.raises(InputError, match="odd"):
        sinkhorn(scores(2, 2), steps)
