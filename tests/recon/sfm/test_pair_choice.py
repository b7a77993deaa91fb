"""Which pairs of many photographs are matched: a walk, a loop, separate places, and no order at all."""

from dataclasses import replace

import numpy as np
import pytest

from recon.sfm.config import PairChoiceConfig
from recon.sfm.pair_choice import choose_pairs
from recon.sfm.similarity import count_shared

CONFIG = PairChoiceConfig(num_partners=6, num_neighbours=2, max_hops=3, min_shared=8)


def on_a_line(positions: np.ndarray, reach: float = 5.0) -> np.ndarray:
    """Similarity that falls off with the distance, and is nothing from `reach` on."""
    apart = np.linalg.norm(positions[:, None] - positions, axis=-1)
    shared = np.maximum(0, np.round(100 * (1 - apart / reach))).astype(np.int64)
    np.fill_diagonal(shared, 0)
    return shared


def circle(num: int) -> np.ndarray:
    """Places one apart."""
    angles = 2 * np.pi * np.arange(num) / num
    return num / (2 * np.pi) * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def components(num: int, pairs: list[tuple[int, int]]) -> int:
    reached = np.eye(num, dtype=bool)
    for first, second in pairs:
        reached[first, second] = reached[second, first] = True
    for _ in range(num.bit_length()):
        reached = (reached.astype(int) @ reached.astype(int)) > 0
    return len({tuple(row) for row in reached})


def test_each_photograph_gets_its_most_similar_partners():
    positions = np.random.default_rng(0).permutation(40)[:, None].astype(float)
    pairs = set(choose_pairs(on_a_line(positions), CONFIG))
    place = {int(p): i for i, p in enumerate(positions[:, 0])}
    for p in range(3, 37):
        partners = [place[q] for q in (p - 3, p - 2, p - 1, p + 1, p + 2, p + 3)]
        assert {tuple(sorted((place[p], q))) for q in partners} <= pairs


def test_pairs_are_far_fewer_than_all_and_ascending():
    pairs = choose_pairs(on_a_line(np.arange(200.0)[:, None]), CONFIG)
    assert len(pairs) <= 200 * (CONFIG.num_partners + CONFIG.num_neighbours)
    assert pairs == sorted(set(pairs))
    assert all(first < second for first, second in pairs)


def test_neighbours_in_the_order_are_matched_though_they_look_different():
    pairs = set(choose_pairs(np.zeros((30, 30), np.int64), CONFIG))
    assert {(i, i + d) for i in range(30) for d in (1, 2) if i + d < 30} <= pairs


def test_a_loop_is_closed():
    pairs = choose_pairs(on_a_line(circle(60)), CONFIG)
    assert any(first < 5 and second >= 55 for first, second in pairs)


def test_a_second_lap_is_tied_to_the_first():
    """Frames of one lap are more alike than those of the other lap, which alone would take up all partners."""
    laps = np.concatenate([circle(60), 1.06 * circle(60)])
    shared = on_a_line(laps)
    pairs = choose_pairs(shared, replace(CONFIG, num_partners=4))
    across = [(first, second) for first, second in pairs if first < 55 and second >= 65]
    assert len(across) >= 60 / (2 * CONFIG.max_hops + 2)
    assert all(shared[pair] >= CONFIG.min_shared for pair in across)


def test_separate_places_without_order_are_tied_by_one_pair_each():
    order = np.random.default_rng(1).permutation(45)
    shared = on_a_line(
        np.concatenate([np.arange(15.0), 100 + np.arange(15.0), 200 + np.arange(15.0)])[:, None], reach=9
    )
    pairs = choose_pairs(shared[np.ix_(order, order)], replace(CONFIG, num_neighbours=0))
    assert components(45, pairs) == 1
    across = [pair for pair in pairs if order[pair[0]] // 15 != order[pair[1]] // 15]
    assert len(across) == 2


@pytest.mark.parametrize("num", [1, 2, 3])
def test_few_photographs(num):
    pairs = choose_pairs(np.zeros((num, num), np.int64), CONFIG)
    assert pairs == [(i, j) for i in range(num) for j in range(i + 1, num)]


def signatures(rng: np.random.Generator, views: list[range], noise: float = 0.02) -> list[np.ndarray]:
    """Descriptors of the points of a world that each photograph sees, in random order."""
    world = np.abs(rng.normal(size=(1 + max(view.stop for view in views), 128)))
    found = []
    for view in views:
        seen = world[rng.permutation(np.array(view))]
        seen = np.abs(seen + noise * rng.normal(size=seen.shape))
        found.append((seen / np.linalg.norm(seen, axis=1, keepdims=True)).astype(np.float32))
    return found


def test_shared_descriptors_are_counted():
    views = [range(0, 60), range(30, 90), range(60, 100), range(200, 230)]
    shared = count_shared(signatures(np.random.default_rng(2), views), 0.8)
    expected = np.array([[len(set(a) & set(b)) for b in views] for a in views])
    np.fill_diagonal(expected, 0)
    assert np.abs(shared - expected).max() <= 2


def test_photographs_without_features_share_nothing():
    some = signatures(np.random.default_rng(3), [range(0, 20), range(0, 20)])
    none = np.zeros((0, 128), np.float32)
    shared = count_shared([none, some[0], none, some[1]], 0.8)
    assert shared[1, 3] == shared[3, 1] == 20
    assert shared.sum() == 40


def test_more_photographs_than_are_compared_at_once_count_the_same():
    found = signatures(np.random.default_rng(4), [range(3 * i, 3 * i + 8) for i in range(70)])
    shared = count_shared(found, 0.8)
    assert (shared == shared.T).all()
    np.testing.assert_array_equal(
        shared[np.ix_([0, 3, 69], [0, 3, 69])], count_shared([found[i] for i in (0, 3, 69)], 0.8)
    )
    np.testing.assert_array_equal(shared, count_shared(found, 0.8))
