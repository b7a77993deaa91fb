"""The graph of verified matches, and what is left of it when photographs are taken out."""

from pathlib import Path

import numpy as np
import pytest

from recon.sfm.match_graph import MatchGraph, Pair, largest_place
from recon.sfm.support import Support


def graph(matches: dict[tuple[int, int], int]) -> MatchGraph:
    pairs = [
        Pair(first, second, np.zeros((number, 2), np.int64), np.zeros((number, 2)), np.zeros((number, 2)))
        for (first, second), number in matches.items()
    ]
    return MatchGraph(Path("none.db"), "SIFT", 15, {}, dict(matches), tuple(pairs))


TWO_PLACES = {(0, 1): 100, (1, 2): 50, (3, 4): 70, (4, 5): 60, (5, 6): 15}


@pytest.mark.parametrize(
    ("placed", "expected"),
    [
        (set(), 150),
        ({0}, 145),  # the other place, as the first keeps 50
        ({4}, 150),
        ({0, 1, 2}, 145),
        ({1, 4}, 15),
        ({1, 4, 5}, 0),
    ],
)
def test_the_largest_place_is_the_one_with_most_matches(placed, expected):
    assert largest_place(graph(TWO_PLACES), placed) == expected


def test_a_bridge_makes_one_place_of_two():
    assert largest_place(graph({**TWO_PLACES, (2, 3): 20}), set()) == 315


def test_support_without_a_photograph_counts_the_pairs_of_the_others():
    support = Support({(0, 1): 40.0, (0, 2): 10.0, (1, 2): 30.0}, {(0, 1): 50, (0, 2): 50, (1, 2): 40})
    assert support.share_of(2) == pytest.approx(40 / 90)
    left = support.without(0)
    assert left.score == 30
    assert left.share_of(2) == left.share_of(1) == pytest.approx(30 / 40)
    assert left.share_of(0) == 0
