import json
import logging
from pathlib import Path

import pytest

from recon.data.views.evaluation_index import EvaluationEntry
from recon.data.views.index_files import read_evaluation_index
from recon.errors import FormatError, InputError, LimitError, UnusableCaptureError
from recon.io.limits import Limits

PAIR = {"context": [58, 133], "target": [78, 86, 95]}


def written(folder: Path, content: object) -> Path:
    path = folder / "index.json"
    path.write_text(json.dumps(content))
    return path


def test_pixelsplat_names_captures_that_are_left_out(tmp_path):
    index = read_evaluation_index(written(tmp_path, {"5aca87f95a9412c6": PAIR, "0000000000000000": None}))
    assert (index.form, len(index), index.left_out) == ("pixelSplat", 1, ("0000000000000000",))
    assert index.select("5aca87f95a9412c6", 150) == ([58, 133], [78, 86, 95])


def test_all_frames_of_a_video_index_are_wanted_context_included(tmp_path):
    """DepthSplat's DL3DV form: 12 given, all 50 wanted."""
    entry = {"context": list(range(0, 48, 4)), "target": list(range(50))}
    context, target = read_evaluation_index(written(tmp_path, {"abc": entry})).select("abc", 50, num_context=12)
    assert len(context) == 12
    assert target == list(range(50))


@pytest.mark.parametrize(
    ("overlap", "tag"),
    [
        (0.05, "small"),
        (0.3, "small"),
        (0.31, "medium"),
        (0.55, "medium"),
        (0.8, "large"),
        (0.81, None),
        (0.01, "medium"),
    ],
)
def test_noposplat_groups_by_overlap(tmp_path, overlap, tag):
    index = read_evaluation_index(written(tmp_path, {"a": PAIR | {"overlap": overlap}, "b": None}))
    assert index.form == "NoPoSplat"
    assert index.entries["a"].overlap == overlap
    assert index.entries["a"].overlap_tag == tag


def test_no_overlap_no_group():
    assert EvaluationEntry((0, 1), (0,)).overlap_tag is None


def test_flare_calls_the_context_input(tmp_path):
    entry = {"input": [3, 1, 9, 7], "target": [5, 2]}
    index = read_evaluation_index(written(tmp_path, {"s": entry}))
    assert (index.form, index.select("s", 10)) == ("FLARE", ([1, 3, 7, 9], [2, 5]))


def test_long_lrm_wants_every_eighth_frame_of_the_capture(tmp_path):
    entry = {"scene_name": "s", "fold_8_kmeans_2_input": [9, 4], "fold_8_kmeans_3_input": [1, 5, 12]}
    path = written(tmp_path, [entry])
    index = read_evaluation_index(path, num_context=2)
    assert (index.form, index.select("s", 20, 2)) == ("Long-LRM", ([4, 9], [0, 8, 16]))
    assert read_evaluation_index(path, num_context=3).select("s", 16) == ([1, 5, 12], [0, 8])
    with pytest.raises(InputError, match=r"lists of 2, 3 context views, and no number was asked for"):
        read_evaluation_index(path)
    with pytest.raises(InputError, match="and 16 were asked for"):
        read_evaluation_index(path, num_context=16)


def test_a_single_list_needs_no_number(tmp_path):
    path = written(tmp_path, [{"scene_name": "s", "fold_4_kmeans_2_input": [9, 5]}])
    assert read_evaluation_index(path).select("s", 10) == ([5, 9], [0, 4, 8])


def test_pairs_are_filled_up_evenly_beside_the_targets(tmp_path):
    index = read_evaluation_index(written(tmp_path, {"a": {"context": [10, 20], "target": [10, 13, 15, 16]}}))
    assert index.select("a", 30).context == [10, 20]
    assert index.select("a", 30, 3).context == [10, 14, 20]
    assert index.select("a", 30, 4).context == [10, 14, 17, 20]


def test_other_numbers_of_views_are_refused(tmp_path):
    index = read_evaluation_index(written(tmp_path, {"a": {"context": [1, 2, 3], "target": [4]}, "b": PAIR}))
    with pytest.raises(InputError, match="4 context views were asked for, and the evaluation index gives 3"):
        index.select("a", 10, 4)
    with pytest.raises(InputError, match="1 context views"):
        index.select("b", 150, 1)


def test_captures_that_do_not_fit_are_told_apart_by_their_reason(tmp_path):
    index = read_evaluation_index(written(tmp_path, {"a": PAIR}))
    with pytest.raises(UnusableCaptureError, match="b: the evaluation index gives no views") as error:
        index.select("b", 10)
    assert error.value.reason == "not in the evaluation index"
    with pytest.raises(UnusableCaptureError, match="133 frames, expected at least 134") as error:
        index.select("a", 133)
    assert error.value.reason == "frames of the evaluation index missing"


def test_the_form_is_said_aloud(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        read_evaluation_index(written(tmp_path, {"a": PAIR, "b": None}))
    assert "form of pixelSplat, views for 1 of 2 captures" in caplog.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (3, "holds a int, expected an object or a list"),
        ({}, "names no capture with views"),
        ([], "names no capture with views"),
        ({"a": None}, "names no capture with views"),
        ({"a": [1, 2]}, "'a' holds a list, expected null or an object"),
        ({"a": {"context": [0, 1]}}, "\"target\" of 'a' is None, expected a list of frame numbers"),
        ({"a": {"context": [0, -1], "target": [0]}}, r"\"context\" of 'a' is \[0, -1\], expected a list of frame"),
        ({"a": {"context": [0, True], "target": [0]}}, "expected a list of frame numbers"),
        ({"a": {"context": [0, 1.5], "target": [0]}}, "expected a list of frame numbers"),
        ({"a": {"context": [4, 4], "target": [0]}}, "expected at least 2 distinct frame numbers"),
        ({"a": {"context": [4], "target": [0]}}, "expected at least 2 distinct frame numbers"),
        ({"a": {"context": [1, 4], "target": []}}, "expected at least 1 distinct frame numbers"),
        ({"a": PAIR | {"overlap": "large"}}, "\"overlap\" of 'a' is 'large', expected a number from 0 to 1"),
        ({"a": PAIR | {"overlap": 1e999}}, "expected a number from 0 to 1"),
        ({"a": PAIR, "b": {"input": [1, 2], "target": [0]}}, "\"input\" of 'a' is None"),
        ([{"fold_8_kmeans_2_input": [1, 2]}], 'item 0 has no "scene_name"'),
        ([7], 'item 0 has no "scene_name"'),
        ([{"scene_name": "s", "fold_0_kmeans_2_input": [1, 2]}], "has no list of context views, expected one like"),
        ([{"scene_name": "s", "fold_8_kmeans_2_input": {}}], r"of 's' is \{\}, expected a list"),
        ([{"scene_name": "s", "fold_8_kmeans_2_input": [1, 2]}] * 2, "'s' comes twice"),
    ],
)
def test_malformed_indexes_name_the_capture_and_what_was_expected(tmp_path, content, message):
    with pytest.raises(FormatError, match=message):
        read_evaluation_index(written(tmp_path, content))


def test_long_values_are_cut_in_messages(tmp_path):
    with pytest.raises(FormatError) as error:
        read_evaluation_index(written(tmp_path, {"a": {"context": ["x"] * 10_000, "target": [1]}}))
    assert len(error.value.message) < 400


def test_files_that_are_too_large_or_absent_are_refused(tmp_path):
    path = written(tmp_path, {"a": PAIR})
    with pytest.raises(LimitError):
        read_evaluation_index(path, limits=Limits(max_json_bytes=10))
    with pytest.raises(InputError, match="cannot be read"):
        read_evaluation_index(tmp_path / "absent.json")
