import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon.io.frames.clock import LONGEST_GAP, Clock


@pytest.mark.parametrize(
    ("stamps", "seconds"),
    [
        ([5.0, 5.5, 6.5], [0, 0.5, 1.5]),
        ([-3.0, -2.0], [0, 1]),
        ([None, None, None], [0, 0.1, 0.2]),
        ([4.0, 4.0, 4.0], [0, 0.1, 0.2]),
        ([0.0, 1.0, 0.5, 2.0], [0, 1, 1.1, 2]),
        ([0.0, 1.0, 1e9, 1e9 + 1], [0, 1, 1 + LONGEST_GAP, 2 + LONGEST_GAP]),
        ([0.0, math.nan, math.inf, 1.0], [0, 0.1, 0.2, 1]),
    ],
)
def test_times_of_frames(stamps: list[float | None], seconds: list[float]):
    clock = Clock(0.1)
    assert [clock.tick(stamp) for stamp in stamps] == pytest.approx(seconds)


@given(st.lists(st.none() | st.floats(-1e12, 1e12), min_size=2, max_size=50))
def test_time_grows_and_never_leaps(stamps: list[float | None]):
    clock = Clock(0.1)
    seconds = [clock.tick(stamp) for stamp in stamps]
    steps = [after - before for before, after in itertools.pairwise(seconds)]
    assert seconds[0] == 0
    assert all(0 < step <= LONGEST_GAP + 1e-3 for step in steps)
