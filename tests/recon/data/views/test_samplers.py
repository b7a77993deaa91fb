import math
from functools import cache

import numpy as np
import pytest
import torch

from recon.data.views.bounded import Bounded
from recon.data.views.bounded_v2 import BoundedV2
from recon.data.views.config import ViewsConfig
from recon.data.views.gap import GapSchedule
from recon.data.views.samplers import ViewSampler
from recon.data.views.whole_span import RandomSpan, WholeSpan
from recon.errors import InputError, UnusableCaptureError
from recon.geometry.se3 import rigid, rotation_from_vector
from recon.types import Cameras

FIXED_GAP = GapSchedule(10, 20, 10, 20, 0)


@cache
def dolly(num: int, spacing: float = 0.1) -> Cameras:
    """Cameras on a line that look ahead and turn a little."""
    vectors = torch.zeros(num, 3)
    vectors[:, 1] = torch.linspace(0, math.pi / 4, num)
    translation = torch.zeros(num, 3)
    translation[:, 0] = -spacing * torch.arange(num)
    K = torch.tensor([[50.0, 0, 32], [0, 50, 32], [0, 0, 1]]).expand(num, 3, 3)
    return Cameras(rigid(rotation_from_vector(vectors), translation), K, torch.full((num, 2), 64))


ALL: list[ViewSampler] = [
    Bounded(gap=FIXED_GAP, num_context=(2, 4)),
    Bounded(gap=FIXED_GAP, num_context=(2, 5), num_targets=3, margin=2),
    *(BoundedV2(FIXED_GAP, 2, 6, extra_views=way) for way in ("farthest_point", "kmeans", "random")),
    WholeSpan((2, 3, 5)),
    RandomSpan(),
]


@pytest.mark.parametrize("sampler", ALL, ids=str)
def test_frames_are_distinct_ascending_and_exist(sampler: ViewSampler):
    cameras, rng = dolly(40), np.random.default_rng(0)
    for step in range(60):
        for frames in sampler.select(cameras, step, rng):
            assert frames == sorted(set(frames))
            assert 0 <= frames[0] <= frames[-1] < 40
            assert all(type(frame) is int for frame in frames)


@pytest.mark.parametrize("sampler", ALL, ids=str)
def test_the_same_seed_chooses_the_same(sampler: ViewSampler):
    first, second = (
        [sampler.select(dolly(40), step, rng) for step in range(20)]
        for rng in (np.random.default_rng(3), np.random.default_rng(3))
    )
    other = [sampler.select(dolly(40), step, np.random.default_rng(4)) for step in range(20)]
    assert first == second != other


@pytest.mark.parametrize("sampler", ALL, ids=str)
def test_a_whole_batch_can_share_a_number_of_views(sampler: ViewSampler):
    rng = np.random.default_rng(0)
    num = sampler.draw_num_context(rng)
    assert {len(sampler.select(dolly(40), 0, rng, num_context=num).context) for _ in range(20)} == {num}


@pytest.mark.parametrize("sampler", ALL, ids=str)
def test_a_capture_that_is_too_short_is_counted_under_one_reason(sampler: ViewSampler):
    with pytest.raises(UnusableCaptureError, match="expected at least") as error:
        sampler.select(dolly(3), 0, np.random.default_rng(0), num_context=3)
    assert error.value.reason == "too few frames"


def test_every_sampler_has_a_name():
    assert {type(sampler) for sampler in ALL} == {type(value) for value in vars(ViewsConfig()).values()} - {str}


def test_gaps_grow_linearly_until_warm():
    schedule = GapSchedule(min_gap=45, max_gap=135, initial_min_gap=25, initial_max_gap=45, warm_up_steps=30_000)
    assert [schedule.at(step) for step in (0, 15_000, 30_000, 10**6)] == [(25, 45), (35, 90), (45, 135), (45, 135)]


def test_all_gaps_within_the_bounds_occur_and_no_other():
    rng, sampler = np.random.default_rng(0), Bounded(gap=GapSchedule(8, 12, 3, 5, 100))
    for step, gaps in ((0, {3, 4, 5}), (50, {5, 6, 7, 8}), (100, {8, 9, 10, 11, 12})):
        context = [sampler.select(dolly(30), step, rng).context for _ in range(300)]
        assert {right - left for left, right in context} == gaps
        assert {left for left, _ in context} >= set(range(30 - max(gaps)))


def test_the_largest_gap_of_a_capture_is_its_length():
    rng, sampler = np.random.default_rng(0), Bounded(gap=GapSchedule(8, 100, 8, 100, 0))
    assert max(sampler.select(dolly(15), 0, rng).context[1] for _ in range(100)) == 14
    assert sampler.select(dolly(9), 0, rng).context == [0, 8]


def test_targets_keep_the_margin_and_use_all_frames_within():
    rng, sampler = np.random.default_rng(0), Bounded(gap=GapSchedule(10, 10, 10, 10, 0), num_targets=3, margin=2)
    relative = [
        {frame - context[0] for frame in target}
        for context, target in (sampler.select(dolly(30), 0, rng) for _ in range(200))
    ]
    assert set.union(*relative) == set(range(2, 9))


def test_inner_context_views_are_no_targets():
    rng, sampler = np.random.default_rng(0), Bounded(gap=GapSchedule(9, 14, 9, 14, 0), num_context=(6,), num_targets=4)
    for _ in range(200):
        context, target = sampler.select(dolly(30), 0, rng)
        assert len(context) == 6
        assert not set(context[1:-1]) & set(target)


def test_fewer_views_span_a_shorter_gap():
    rng, sampler = np.random.default_rng(0), BoundedV2(GapSchedule(24, 24, 24, 24, 0), 2, 6)
    for num, gap in ((2, 8), (3, 12), (4, 24), (6, 24)):
        context = sampler.select(dolly(60), 0, rng, num_context=num).context
        assert (len(context), context[-1] - context[0]) == (num, gap)


def test_targets_may_reach_beyond_the_span_but_not_beyond_the_capture():
    rng, sampler = np.random.default_rng(0), BoundedV2(GapSchedule(5, 5, 5, 5, 0), 2, 2, target_reach=3)
    chosen = [sampler.select(dolly(9), 0, rng) for _ in range(300)]
    assert {t - c[0] for c, target in chosen for t in target} == set(range(-3, 9))


def test_the_whole_capture_is_spanned():
    context, target = WholeSpan((4,), 3).select(dolly(10), 0, np.random.default_rng(0))
    assert context == [0, 3, 6, 9]
    assert not set(context) & set(target)
    assert WholeSpan((3,), 2).select(dolly(5), 0, np.random.default_rng(0)).target == [1, 3]


@pytest.mark.parametrize(
    "make",
    [
        lambda: GapSchedule(0, 5, 1, 5, 0),
        lambda: GapSchedule(6, 5, 1, 5, 0),
        lambda: GapSchedule(1, 5, 7, 5, 0),
        lambda: GapSchedule(1, 5, 1, 5, -1),
        lambda: Bounded(num_context=()),
        lambda: Bounded(num_context=(1, 2)),
        lambda: Bounded(num_targets=0),
        lambda: Bounded(margin=-1),
        lambda: BoundedV2(min_views=1),
        lambda: BoundedV2(min_views=5, max_views=4),
        lambda: BoundedV2(target_reach=-1),
        lambda: WholeSpan(num_targets=0),
        lambda: RandomSpan(num_context=(1,)),
    ],
)
def test_options_without_meaning_are_refused(make):
    with pytest.raises(InputError, match="expected"):
        make()
