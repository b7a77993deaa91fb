import numpy as np
import pytest

from recon.data.views.selection import sample_views
from recon.errors import InputError


@pytest.mark.parametrize("num_context", [2, 3, 4])
def test_targets_are_never_given(num_context):
    rng = np.random.default_rng(0)
    for _ in range(300):
        context, target = sample_views(8, num_context, 2, rng)
        assert len(set(context)) == num_context
        assert len(set(target)) == 2
        assert not set(context) & set(target)
        assert all(0 <= i < 8 for i in context + target)
        assert context == sorted(context)


def test_targets_lie_inside_the_span_when_there_is_room():
    rng = np.random.default_rng(1)
    for _ in range(300):
        context, target = sample_views(8, 2, 1, rng)
        assert context[0] < target[0] < context[1]


def test_all_gaps_occur():
    rng = np.random.default_rng(2)
    gaps = {(lambda s: s.context[-1] - s.context[0])(sample_views(8, 2, 1, rng)) for _ in range(500)}
    assert gaps == {2, 3, 4, 5, 6, 7}


@pytest.mark.parametrize(("num_frames", "num_context", "num_targets"), [(4, 4, 1), (2, 2, 1), (5, 4, 2), (8, 1, 1)])
def test_a_capture_that_is_too_short_is_an_input_error(num_frames, num_context, num_targets):
    with pytest.raises(InputError, match="expected at least"):
        sample_views(num_frames, num_context, num_targets, np.random.default_rng(0))


def test_the_shortest_capture_is_enough():
    context, target = sample_views(6, 4, 2, np.random.default_rng(0))
    assert sorted(context + target) == list(range(6))
