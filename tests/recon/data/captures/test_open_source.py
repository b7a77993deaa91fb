import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from recon.data.captures.checks import FEW_FRAMES, CaptureChecks
from recon.data.captures.manifest import report_missing
from recon.data.captures.open_source import FORMATS, ReadOptions, open_captures
from recon.data.captures.subset import Subset
from recon.data.room_scenes import RoomScenes
from recon.errors import InputError, UnusableCaptureError
from recon.geometry.projection import unproject
from tests.tiny_captures import (
    HALF_EXTENT,
    TinyCapture,
    tiny_capture,
    tiny_captures,
    write_colmap,
    write_dl3dv,
    write_long_lrm,
    write_lvsm,
    write_re10k,
    write_re10k_text,
    write_rooms,
)

WRITERS = {
    "re10k_chunks": write_re10k,
    "rooms": write_rooms,
    "long_lrm": write_lvsm,
    "nerfstudio": write_dl3dv,
    "colmap": write_colmap,
    "re10k_text": lambda root, captures: write_re10k_text(root, root / "frames", captures),
}


@pytest.fixture(scope="module")
def captures() -> list[TinyCapture]:
    return tiny_captures(2, frames=2, size=(32, 32))


def test_every_format_is_tried() -> None:
    assert WRITERS.keys() == FORMATS.keys()


@pytest.mark.parametrize("name", WRITERS)
def test_format_is_told_and_said(
    tmp_path: Path, captures: list[TinyCapture], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    source = open_captures(WRITERS[name](tmp_path, captures))
    assert f"{tmp_path}: {name}, train, 2 captures" in caplog.text
    again = open_captures(tmp_path, name)
    assert type(again) is type(source)
    assert again.names == source.names
    with pytest.raises(UnusableCaptureError, match="2 frames, at least 3") as caught:
        open_captures(tmp_path, options=ReadOptions(checks=CaptureChecks(min_frames=3)))[0]
    assert caught.value.reason == FEW_FRAMES


def test_nothing_known_names_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no data set of a known form") as caught:
        open_captures(tmp_path)
    assert all(name in caught.value.hint for name in FORMATS)
    with pytest.raises(InputError, match="no such folder"):
        open_captures(tmp_path / "nothing")
    with pytest.raises(InputError, match="the format 'zip' is not known"):
        open_captures(tmp_path, "zip")


def test_a_wrong_format_is_told_from_what_is_there(tmp_path: Path, captures: list[TinyCapture]) -> None:
    with pytest.raises(InputError, match=r"a folder with transforms\.json") as caught:
        open_captures(write_re10k(tmp_path, captures), "nerfstudio")
    assert "the format is re10k_chunks, or auto" in caught.value.hint


def test_option_of_another_format(tmp_path: Path, captures: list[TinyCapture]) -> None:
    write_re10k(tmp_path, captures)
    with pytest.raises(InputError, match="frames does not belong to the format re10k_chunks"):
        open_captures(tmp_path, options=ReadOptions(frames="frames"))


def test_split_by_folder_by_list_or_not_at_all(
    tmp_path: Path, captures: list[TinyCapture], caplog: pytest.LogCaptureFixture
) -> None:
    first, second = (capture.name for capture in captures)
    root = write_dl3dv(tmp_path / "a", captures, layout="10k")
    assert open_captures(root, split="test").names == (first, second)
    assert "not divided into splits" in caplog.text
    (root / "test.txt").write_text(f"1K/{second}/transforms.json\nlost\n")
    (root / "train.txt").write_text(f"{first}\n")
    assert open_captures(root, split="train").names == (first,)
    assert open_captures(root, split="test").names == open_captures(root, split="val").names == (second,)
    assert "1 of 2 captures listed for test are missing: lost" in caplog.text
    for split, capture in zip(("train", "test"), captures, strict=True):
        write_dl3dv(tmp_path / "b" / split, [capture])
    assert open_captures(tmp_path / "b", split="train").names == (first,)
    assert open_captures(tmp_path / "b", split="val").names == (second,)
    (root / "test.txt").unlink()
    with pytest.raises(InputError, match="has no split 'test', only train"):
        open_captures(root, split="test")


def test_captures_that_no_list_names_are_trained_on(tmp_path: Path) -> None:
    """A list of the captures of a benchmark keeps them out of training, as docs/training.md says."""
    first, second, third = captures = tiny_captures(3, frames=2, size=(32, 32))
    root = write_dl3dv(tmp_path, captures, layout="10k")
    (root / "test.txt").write_text(f"1K/{second.name}\n")
    assert open_captures(root, split="train").names == (first.name, third.name)
    assert open_captures(root, split="val").names == open_captures(root, split="test").names == (second.name,)
    (root / "val.txt").write_text(f"{third.name}\n")
    assert open_captures(root, split="train").names == (first.name,)
    (root / "test.txt").write_text(f"{first.name}\n{second.name}\n")
    with pytest.raises(InputError, match="hold out all 3 captures"):
        open_captures(root, split="train")
    (root / "train.txt").write_text(f"{first.name}\n")
    assert open_captures(root, split="train").names == (first.name,)


def test_names_stay_while_captures_are_added(tmp_path: Path, captures: list[TinyCapture]) -> None:
    before = open_captures(write_long_lrm(tmp_path, captures[1:])).names
    after = open_captures(write_long_lrm(tmp_path, captures[:1])).names
    assert set(before) < set(after)


def test_folder_of_one_capture(tmp_path: Path, captures: list[TinyCapture]) -> None:
    write_colmap(tmp_path, captures[:1])
    source = open_captures(tmp_path / captures[0].name)
    assert source.names == (captures[0].name,)
    assert len(source[0]) == 2


def test_missing_captures_are_reported(tmp_path: Path, captures: list[TinyCapture]) -> None:
    source = open_captures(write_re10k(tmp_path, captures))
    report = report_missing(source, ["x", captures[0].name, "y", "x"])
    assert (report.num_wanted, report.missing) == (3, ("x", "y"))
    assert str(report) == "1 of 3 wanted captures are there; 2 are missing: x, y"
    assert str(report_missing(source, source.names)) == "2 of 2 wanted captures are there"


def test_subset_leaves_out_by_name(tmp_path: Path, captures: list[TinyCapture]) -> None:
    source = open_captures(write_re10k(tmp_path, captures))
    subset = Subset(source, [captures[0].name, "stranger"])
    assert (len(subset), subset.names) == (1, (captures[1].name,))
    assert subset[0].name == captures[1].name
    with pytest.raises(InputError, match="all 2 captures"):
        Subset(source, source.names)


def test_rooms_have_depth_and_the_pictures_of_the_reader(tmp_path: Path) -> None:
    drawn = tiny_capture(frames=3, size=(48, 48))
    source = open_captures(write_rooms(tmp_path, [drawn]))
    capture, scene = source[0], RoomScenes(tmp_path, "train")[0]
    assert capture.inverse_depth is not None
    assert np.array_equal(capture.picture(2), scene.images[2].permute(1, 2, 0).numpy())
    assert torch.equal(capture.inverse_depth(2), scene.inverse_depth[2])
    pixel, depth = torch.tensor([[24.5, 24.5]]), 1 / capture.inverse_depth(0)[24, 24].reshape(1)
    point = unproject(pixel, depth, capture.cameras.cam_from_world[0], capture.cameras.K[0])[0]
    assert float((point.abs() / torch.tensor(HALF_EXTENT)).max()) == pytest.approx(1, abs=2e-3)


def test_index_of_an_evaluation_is_no_data_set(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text(json.dumps({"a": "b"}))
    with pytest.raises(InputError, match="no data set"):
        open_captures(tmp_path)
