"""Single entries of matrices dropped."""

import inspect

import pytest
import torch

from models.compression import keep_magnitude, keep_spectrum, keep_two_of_four, sparsify_two_of_four
from recon.errors import InputError, ResourceError
from tests.models.compression.networks import blocks


@pytest.mark.parametrize("columns", [16, 18])
def test_two_of_four_keeps_the_two_largest(columns, generator):
    weight = torch.randn(6, columns, generator=generator)
    kept = keep_two_of_four(weight)
    groups, before = kept[:, :16].unflatten(1, (-1, 4)), weight[:, :16].unflatten(1, (-1, 4))
    assert ((groups != 0).sum(-1) == 2).all()
    torch.testing.assert_close(groups.abs().sum(-1), before.abs().topk(2).values.sum(-1))
    assert torch.equal(kept[kept != 0], weight[kept != 0])
    assert torch.equal(kept[:, 16:], weight[:, 16:])


def test_torch_takes_the_arguments_that_it_is_given():
    inspect.signature(torch.sparse.to_sparse_semi_structured).bind(torch.zeros(4, 4))


def test_without_a_card_it_is_refused():
    with pytest.raises(ResourceError, match=r"half precision on a CUDA card; the network is torch.float32 on cpu"):
        sparsify_two_of_four(blocks())


@pytest.mark.parametrize("prune", [keep_magnitude, keep_spectrum])
@pytest.mark.parametrize("keep", [0.1, 0.5, 1.0])
def test_the_share_is_kept_and_entries_are_not_changed(prune, keep, generator):
    weight = torch.randn(40, 25, generator=generator)
    kept = prune(weight, keep)
    assert int((kept != 0).sum()) == keep * 1000
    assert torch.equal(kept[kept != 0], weight[kept != 0])


def test_magnitude_keeps_the_most_of_the_sum_of_squares(generator):
    weight = torch.randn(40, 25, generator=generator)
    assert (keep_spectrum(weight, 0.5) - weight).norm() >= (keep_magnitude(weight, 0.5) - weight).norm()


def test_leading_singular_values_move_less_than_by_magnitude(generator):
    rows, columns = torch.randn(60, 3, generator=generator), torch.randn(3, 40, generator=generator)
    rows[20:], columns[:, 15:] = 0, 0  # three strong modes on a few rows and columns, noise everywhere
    weight = rows @ columns + 2 * torch.randn(60, 40, generator=generator)
    exact = torch.linalg.svdvals(weight)[:3]
    moved = [
        (torch.linalg.svdvals(prune(weight, 0.3))[:3] - exact).norm()
        for prune in (lambda w, k: keep_spectrum(w, k, modes=3), keep_magnitude)
    ]
    assert moved[0] < moved[1]


@pytest.mark.parametrize("keep", [0.0, -1.0, 1.1, float("nan")])
def test_no_share_is_refused(keep):
    with pytest.raises(InputError, match="keep: "):
        keep_magnitude(torch.ones(2, 2), keep)
