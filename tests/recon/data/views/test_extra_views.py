import numpy as np
import pytest

from recon.data.views.extra_views import EXTRA_VIEWS, evenly_between, farthest_points, kmeans_views
from recon.errors import UnusableCaptureError


def features(centres: list[list[float]]) -> np.ndarray:
    return np.hstack([np.array(centres, float), np.tile([0.0, 0, 1], (len(centres), 1))])


def test_even_spacing_rounds_down():
    assert evenly_between(0, 45, 3) == [0, 22, 45]
    assert evenly_between(10, 20, 4) == [10, 13, 16, 20]


def test_a_target_pushes_a_view_on_to_the_next_free_frame_the_later_first():
    assert evenly_between(0, 10, 3, avoid=[5]) == [0, 6, 10]
    assert evenly_between(0, 10, 3, avoid=[5, 6]) == [0, 4, 10]
    assert evenly_between(0, 10, 3, avoid=[4, 5, 6]) == [0, 7, 10]
    assert evenly_between(0, 10, 3, avoid=[0, 10]) == [0, 5, 10]


def test_a_span_without_free_frames_is_refused():
    assert evenly_between(0, 3, 4) == [0, 1, 2, 3]
    with pytest.raises(UnusableCaptureError, match="no room for 4 context views"):
        evenly_between(0, 3, 4, avoid=[2])


def test_the_farthest_frame_is_taken_each_time():
    line = features([[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0], [10, 0, 0]])
    rng = np.random.default_rng(0)
    assert farthest_points(line, 2, rng) == [0, 4]
    assert farthest_points(line, 3, rng) == [0, 3, 4]
    assert farthest_points(line, 4, rng) in ([0, 1, 3, 4], [0, 2, 3, 4])


def test_every_cluster_gives_one_frame():
    rng = np.random.default_rng(0)
    places = np.repeat([[0.0, 0, 0], [5, 0, 0], [0, 5, 0]], 6, axis=0) + rng.normal(0, 0.05, (18, 3))
    for seed in range(10):
        chosen = kmeans_views(features(places.tolist()), 3, np.random.default_rng(seed))
        assert [frame // 6 for frame in chosen] == [0, 1, 2]


def test_clusters_tell_directions_apart_at_one_place():
    turned = np.zeros((8, 6))
    turned[:4, 5], turned[4:, 3] = 1, 1
    chosen = kmeans_views(turned, 2, np.random.default_rng(0))
    assert [frame // 4 for frame in chosen] == [0, 1]


@pytest.mark.parametrize("name", sorted(EXTRA_VIEWS))
def test_cameras_at_one_place_still_give_distinct_frames(name):
    still = features([[1, 2, 3]] * 7)
    for num in (3, 7):
        assert len(set(EXTRA_VIEWS[name](still, num, np.random.default_rng(0)))) == num
