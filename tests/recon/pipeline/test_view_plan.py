import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.pipeline.view_plan import choose_for_coverage, most_redundant, plan_views, walk_through


def along_a_line(num, reach=4.0):
    """Overlap of views in a row that falls with their distance."""
    place = torch.arange(num, dtype=torch.float32)
    return (1 - (place[:, None] - place).abs() / reach).clamp(min=0)


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 40), st.integers(2, 20), st.integers(2, 8), st.booleans(), st.integers(0, 10))
def test_every_view_has_exactly_one_use(num, most, group_size, refining, seed):
    random = torch.rand(num, num, generator=torch.Generator().manual_seed(seed))
    plan = plan_views(((random + random.T) / 2).fill_diagonal_(1), most, group_size, refining=refining)
    used = [*plan.chosen, *plan.rest]
    if plan.held_back is not None and plan.held_back not in plan.chosen:
        used.append(plan.held_back)
    assert sorted(used) == list(range(num))
    assert len(plan.chosen) <= most
    assert all(2 <= len(group) <= group_size for group in plan.groups)


def test_few_views_are_one_group_and_none_is_spared():
    plan = plan_views(along_a_line(4), 16, 6, refining=True)
    assert plan.groups == ((0, 1, 2, 3),)
    assert plan.rest == ()
    assert plan.held_back is None


@pytest.mark.parametrize(("num", "held", "seen"), [(4, False, True), (5, True, True), (8, True, False)])
def test_from_which_number_a_view_is_held_back(num, held, seen):
    plan = plan_views(along_a_line(num), 16, 6, refining=True)
    assert (plan.held_back is not None) == held
    assert (plan.held_back in plan.chosen) == (held and seen)


def test_no_view_is_held_back_without_refinement():
    assert plan_views(along_a_line(12), 16, 6, refining=False).held_back is None


def test_the_chosen_views_are_spread_over_the_capture():
    chosen = choose_for_coverage(along_a_line(21), 3)
    gaps = torch.tensor(chosen).diff()
    assert chosen[0] <= 5
    assert chosen[-1] >= 15
    assert int(gaps.min()) >= 4


def test_an_isolated_view_is_not_what_the_choice_begins_with():
    overlap = along_a_line(9)
    overlap[8, :8] = overlap[:8, 8] = 0
    assert 8 not in choose_for_coverage(overlap, 2)


def test_groups_are_made_of_neighbours():
    shuffled = torch.randperm(12, generator=torch.Generator().manual_seed(3))
    overlap = along_a_line(12)[shuffled][:, shuffled]
    for group in plan_views(overlap, 12, 4, refining=False).groups:
        places = sorted(int(shuffled[i]) for i in group)
        assert places == list(range(places[0], places[0] + 4))


def test_a_walk_goes_from_one_end_to_the_other():
    assert walk_through(along_a_line(6), [0, 1, 2, 3, 4, 5]) in ([0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0])


def test_the_redundant_view_lies_between_two_near_ones():
    place = torch.tensor([0.0, 2.0, 2.4, 2.8, 5.0])
    assert most_redundant((1 - (place[:, None] - place).abs() / 4).clamp(min=0)) == 2
