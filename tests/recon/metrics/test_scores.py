import pytest

from recon.errors import InputError
from recon.metrics.scores import SceneScores, data_set_scores, scene_scores, table


def test_scenes_count_the_same_whatever_their_number_of_views():
    first = scene_scores("a", {"psnr": [20.0, 22.0, 24.0], "lpips": None})
    second = scene_scores("b", {"psnr": [30.0], "lpips": None})
    assert first.scores == {"psnr": 22, "lpips": None}
    assert data_set_scores([first, second]) == {"psnr": 26, "lpips": None}


def test_a_score_of_zero_is_measured():
    assert data_set_scores([scene_scores("a", {"ssim": [0.0, 0.0]})]) == {"ssim": 0.0}


def test_the_table_says_what_was_not_measured():
    scenes = [SceneScores("a", {"psnr": 22.0, "lpips": None}), SceneScores("b", {"psnr": 23.0, "lpips": None})]
    assert table(scenes, digits=2) == [
        ["scene", "psnr", "lpips"],
        ["a", "22.00", "not measured"],
        ["b", "23.00", "not measured"],
        ["mean of 2", "22.50", "not measured"],
    ]


@pytest.mark.parametrize(
    ("scenes", "message"),
    [
        ([], "no scene"),
        ([SceneScores("a", {"m": 1.0}), SceneScores("a", {"m": 1.0})], "2 scenes with 1 names"),
        ([SceneScores("a", {"m": 1.0}), SceneScores("b", {"m": None})], "m was measured on 1 of 2 scenes, not on b"),
        ([SceneScores("a", {"m": 1.0}), SceneScores("b", {})], "b has no m"),
    ],
)
def test_means_that_could_not_be_compared_are_refused(scenes, message):
    with pytest.raises(InputError, match=message):
        data_set_scores(scenes)


def test_views_without_a_number_are_refused():
    with pytest.raises(InputError, match="a: no value of psnr"):
        scene_scores("a", {"psnr": []})
    with pytest.raises(InputError, match="a: psnr is not finite"):
        scene_scores("a", {"psnr": [1.0, float("nan")]})
