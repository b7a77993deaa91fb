"""From one form into another and back: frames and cameras stay what they were."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from recon.data.captures.__main__ import main
from recon.data.captures.capture import Capture, CaptureSource
from recon.data.captures.chunk_writer import write_chunks
from recon.data.captures.folder_writer import write_folders
from recon.data.captures.manifest import build_manifest, read_manifest
from recon.data.captures.nerfstudio import Nerfstudio
from recon.data.captures.open_source import ReadOptions, open_captures
from recon.data.captures.re10k_chunks import Re10kChunks
from recon.errors import FormatError, InputError, UnusableCaptureError
from tests.tiny_captures import (
    TinyCapture,
    tiny_capture,
    tiny_captures,
    write_colmap,
    write_dl3dv,
    write_re10k,
    write_re10k_text,
)


@pytest.fixture(scope="module")
def captures() -> list[TinyCapture]:
    return tiny_captures(3, frames=3)


def assert_same(found: Capture, expected: Capture) -> None:
    assert (found.name, found.timestamps, found.url) == (expected.name, expected.timestamps, expected.url)
    torch.testing.assert_close(found.cameras.cam_from_world, expected.cameras.cam_from_world, rtol=1e-6, atol=2e-6)
    torch.testing.assert_close(found.cameras.K, expected.cameras.K, rtol=1e-6, atol=1e-5)
    assert torch.equal(found.cameras.size, expected.cameras.size)
    assert found.encoded is not None
    assert expected.encoded is not None
    assert [found.encoded(i) for i in range(len(found))] == [expected.encoded(i) for i in range(len(expected))]


def test_chunks_to_folders_and_back(tmp_path: Path, captures: list[TinyCapture]) -> None:
    chunks = Re10kChunks(write_re10k(tmp_path / "a", captures))
    write_folders(chunks, tmp_path / "b" / "train")
    folders = Nerfstudio(tmp_path / "b")
    write_chunks(folders, tmp_path / "c" / "train")
    again = Re10kChunks(tmp_path / "c")
    assert chunks.names == folders.names == again.names
    for index in range(len(chunks)):
        assert_same(folders[index], chunks[index])
        assert_same(again[index], chunks[index])
    hashes = [[r.frames_sha256 for r in build_manifest(source).captures] for source in (chunks, folders, again)]
    assert hashes[0] == hashes[1] == hashes[2]


def test_distorted_pictures_are_written_undistorted(tmp_path: Path) -> None:
    drawn = tiny_capture("ab" * 32, frames=2, distortion=(-0.1, 0.02, 0.001, 0.002))
    source = open_captures(write_dl3dv(tmp_path / "a", [drawn]))
    write_chunks(source, tmp_path / "b" / "train")
    found, expected = Re10kChunks(tmp_path / "b")[0], source[0]
    torch.testing.assert_close(found.cameras.K, expected.cameras.K, rtol=1e-6, atol=1e-5)
    assert found.timestamps == (0, 1)
    for frame in range(2):
        error = np.abs(found.picture(frame).astype(float) - expected.picture(frame)).mean()
        assert error < 2


def test_chunks_are_closed_at_their_size_and_all_is_indexed(tmp_path: Path, captures: list[TinyCapture]) -> None:
    source = Re10kChunks(write_re10k(tmp_path / "a", captures, per_chunk=3))
    manifest = write_chunks(source, tmp_path / "b" / "train", chunk_bytes=1)
    written = Re10kChunks(tmp_path / "b")
    assert written.groups == ((0,), (1,), (2,))
    assert written.names == source.names
    assert manifest == build_manifest(written) == read_manifest(tmp_path / "b" / "train" / "manifest.json")


class Counting:
    """A source that notes what is read, and fails at one name."""

    def __init__(self, source: CaptureSource, fails_at: str = ""):
        self.source, self.fails_at, self.read = source, fails_at, list[str]()
        self.names = source.names

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Capture:
        if self.names[index] == self.fails_at:
            raise KeyboardInterrupt
        self.read.append(self.names[index])
        return self.source[index]


def test_stopped_conversion_goes_on(tmp_path: Path, captures: list[TinyCapture]) -> None:
    source = Re10kChunks(write_re10k(tmp_path / "a", captures))
    out = tmp_path / "b" / "train"
    stopped = Counting(source, fails_at=source.names[2])
    with pytest.raises(KeyboardInterrupt):
        write_chunks(stopped, out, chunk_bytes=1)
    assert not (out / "index.json").exists()
    assert sorted(path.name for path in out.iterdir()) == ["000000.torch", "000001.torch", "records"]
    first = (out / "000000.torch").stat().st_mtime_ns
    resumed = Counting(source)
    write_chunks(resumed, out, chunk_bytes=1)
    assert resumed.read == [source.names[2]]
    assert (out / "000000.torch").stat().st_mtime_ns == first
    write_chunks(source, tmp_path / "c" / "train", chunk_bytes=1)
    for name in ("index.json", "manifest.json"):
        assert (out / name).read_bytes() == (tmp_path / "c" / "train" / name).read_bytes()


def test_chunk_that_was_lost_is_made_again(tmp_path: Path, captures: list[TinyCapture]) -> None:
    source = Re10kChunks(write_re10k(tmp_path / "a", captures))
    out = tmp_path / "b" / "train"
    write_chunks(source, out, chunk_bytes=1)
    (out / "000001.torch").unlink()
    write_chunks(source, out, chunk_bytes=1)
    assert set(Re10kChunks(tmp_path / "b").names) == set(source.names)


def test_unusable_captures_are_counted_and_tried_again(tmp_path: Path, captures: list[TinyCapture]) -> None:
    write_dl3dv(tmp_path / "a", captures)
    pictures = tmp_path / "a" / captures[1].name / "nerfstudio" / "images_4"
    lost = min(pictures.iterdir())
    lost.rename(tmp_path / "lost")
    source = open_captures(tmp_path / "a")
    manifest = write_chunks(source, tmp_path / "b" / "train")
    assert manifest.skipped == {"missing picture": (captures[1].name,)}
    assert "skipped, missing picture: 1 (0000000000000001)" in manifest.summary()
    assert write_folders(source, tmp_path / "c" / "train").skipped == manifest.skipped
    again = Counting(source)
    assert write_chunks(again, tmp_path / "b" / "train") == manifest
    assert again.read == [captures[1].name]
    assert len(list((tmp_path / "b" / "train" / "records").iterdir())) == 1
    (tmp_path / "lost").rename(lost)
    assert write_chunks(source, tmp_path / "b" / "train").skipped == {}
    assert set(Re10kChunks(tmp_path / "b").names) == {capture.name for capture in captures}


def test_pictures_behind_a_link_that_leads_out_are_counted(tmp_path: Path, captures: list[TinyCapture]) -> None:
    write_dl3dv(tmp_path / "a", captures)
    pictures = tmp_path / "a" / captures[0].name / "nerfstudio" / "images_4"
    pictures.rename(tmp_path / "elsewhere")
    pictures.symlink_to(tmp_path / "elsewhere")
    source, skipped = open_captures(tmp_path / "a"), {"picture outside the folder": (captures[0].name,)}
    assert build_manifest(source).skipped == skipped
    assert write_chunks(source, tmp_path / "b").skipped == skipped
    assert write_folders(source, tmp_path / "c").skipped == skipped


def test_numbers_of_missing_frames_go_along(tmp_path: Path) -> None:
    drawn = tiny_capture(frames=5)
    write_re10k_text(tmp_path / "a", tmp_path / "a" / "frames", [drawn])
    for number in (0, 3):
        (tmp_path / "a" / "frames" / drawn.name / f"{drawn.timestamps[number]}.jpg").unlink()
    manifest = write_chunks(open_captures(tmp_path / "a"), tmp_path / "b" / "train")
    assert "some frames have no picture: 1 (0123456789abcdef)" in manifest.summary()
    write_folders(Re10kChunks(tmp_path / "b"), tmp_path / "c" / "train")
    for source in (open_captures(tmp_path / "a"), Re10kChunks(tmp_path / "b"), Nerfstudio(tmp_path / "c")):
        capture = source[0]
        assert (len(capture), capture.missing, capture.num_published) == (3, (0, 3), 5)
        assert capture.frames_of([1, 2, 4]) == [0, 1, 2]
        with pytest.raises(UnusableCaptureError, match="names frame 3, which has no picture"):
            capture.frames_of([1, 3])


def test_distortion_is_passed_over_where_that_is_asked_for(tmp_path: Path) -> None:
    """Pictures as they are stored, with the K that the file states: as DepthSplat converts DL3DV."""
    drawn = tiny_capture("ab" * 32, frames=2, distortion=(-0.1, 0.02, 0.001, 0.002))
    source = write_dl3dv(tmp_path / "a", [drawn])
    words = ["--source", str(source), "--out", str(tmp_path / "b"), "--read.undistort", "false"]
    assert main(words) == 0
    capture = Re10kChunks(tmp_path / "b")[0]
    torch.testing.assert_close(capture.cameras.K, drawn.cameras.K, atol=1e-3, rtol=1e-4)
    assert np.abs(capture.picture(0).astype(float) - drawn.images[0]).mean() < 2
    stored, undistorted = (
        open_captures(source, options=ReadOptions(undistort=wish))[0].picture(0) for wish in (False, True)
    )
    assert np.array_equal(stored, drawn.images[0])
    assert not np.array_equal(undistorted, drawn.images[0])


def test_chunks_say_of_which_pictures_they_are_made(
    tmp_path: Path, captures: list[TinyCapture], caplog: pytest.LogCaptureFixture
) -> None:
    source, out = str(write_dl3dv(tmp_path / "a", captures[:1], downsample=8)), tmp_path / "b"
    words = ["--source", source, "--out", str(out), "--read.undistort", "false"]
    assert main([*words, "--read.downsample", "8"]) == 0
    wish = ReadOptions(downsample=8, undistort=False)
    for options in (wish, ReadOptions()):
        assert len(open_captures(out, options=options)) == 1
    for options in (ReadOptions(downsample=4, undistort=False), ReadOptions(downsample=8)):
        with pytest.raises(InputError, match="are asked for; they are made of downsample 8, undistort false"):
            open_captures(out, options=options)
    assert main(words) == 2
    assert "holds chunks of downsample 8, undistort false, not of downsample null, undistort false" in caplog.text
    assert main(["--source", str(out), "--out", str(tmp_path / "c")]) == 0
    assert len(open_captures(tmp_path / "c", options=wish)) == 1
    (tmp_path / "c" / "train" / "read.json").unlink()
    assert main(["--source", str(out), "--out", str(tmp_path / "c")]) == 0
    assert not (tmp_path / "c" / "train" / "read.json").exists()
    (out / "train" / "read.json").write_text('{"downsample": "8"}')
    with pytest.raises(FormatError, match="a number or null"):
        open_captures(out, options=wish)


def test_name_that_no_folder_can_have(tmp_path: Path, captures: list[TinyCapture]) -> None:
    bad = TinyCapture(**{**vars(captures[0]), "name": "../escape"})
    source = Re10kChunks(write_re10k(tmp_path / "a", [bad, captures[1]]))
    assert write_folders(source, tmp_path / "b").skipped == {"name that no folder can have": ("../escape",)}
    assert not (tmp_path / "escape").exists()
    assert Nerfstudio(tmp_path / "b").names == (captures[1].name,)


def test_command_converts_every_split_and_tells(
    tmp_path: Path, captures: list[TinyCapture], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for split, part in (("train", captures[:2]), ("test", captures[2:])):
        write_colmap(tmp_path / "a" / split, part)
    index = {capture.name: {"context": [0, 2], "target": [1]} for capture in captures[1:]}
    (tmp_path / "index.json").write_text(json.dumps(index))
    (tmp_path / "without.txt").write_text(captures[0].name + "\n")
    options = ["--source", str(tmp_path / "a"), "--out", str(tmp_path / "b")]
    assert main([*options, "--exclude", str(tmp_path / "without.txt"), "--index", str(tmp_path / "index.json")]) == 0
    assert Re10kChunks(tmp_path / "b", "train").names == (captures[1].name,)
    assert Re10kChunks(tmp_path / "b", "test")[0].encoded(0) == captures[2].jpegs[0]  # pyright: ignore[reportOptionalCall]
    assert "colmap, train, 2 captures" in caplog.text
    assert "train: 1 of 2 wanted captures are there; 1 are missing: 0000000000000002" in caplog.text
    assert "test: 1 captures with 3 frames" in caplog.text
    assert main(["--source", str(tmp_path / "b"), "--out", str(tmp_path / "c"), "--to", "folders"]) == 0
    assert Nerfstudio(tmp_path / "c", "test").names == (captures[2].name,)
    assert main(["--source", str(tmp_path / "b"), "--out", str(tmp_path / "d"), "--to", "manifest"]) == 0
    assert read_manifest(tmp_path / "d" / "test" / "manifest.json").captures[0].name == captures[2].name


def test_command_converts_what_no_list_names_too(tmp_path: Path, captures: list[TinyCapture]) -> None:
    write_dl3dv(tmp_path / "a", captures)
    (tmp_path / "a" / "test.txt").write_text(captures[1].name + "\n")
    assert main(["--source", str(tmp_path / "a"), "--out", str(tmp_path / "b")]) == 0
    assert Re10kChunks(tmp_path / "b", "train").names == (captures[0].name, captures[2].name)
    assert Re10kChunks(tmp_path / "b", "test").names == (captures[1].name,)


def test_lists_to_exclude_name_captures_as_lists_of_splits_do(
    tmp_path: Path, captures: list[TinyCapture], caplog: pytest.LogCaptureFixture
) -> None:
    source, without = write_dl3dv(tmp_path / "a", captures), tmp_path / "without.txt"
    words = ["--source", str(source), "--to", "manifest", "--exclude", str(without)]
    without.write_text(f"1K/{captures[0].name}\n{captures[1].name}/nerfstudio\nno-such\n")
    assert main([*words, "--out", str(tmp_path / "b")]) == 0
    assert "1 of 3 names are of no capture that is converted: no-such" in caplog.text
    manifest = read_manifest(tmp_path / "b" / "train" / "manifest.json")
    assert [record.name for record in manifest.captures] == [captures[2].name]
    without.write_text("no-such\n")
    assert main([*words, "--out", str(tmp_path / "c")]) == 2
    assert not (tmp_path / "c").exists()


def test_all_captures_that_an_index_misses_are_written(tmp_path: Path, captures: list[TinyCapture]) -> None:
    index = {f"lost{i}": {"context": [0, 2], "target": [1]} for i in range(9)} | {
        captures[0].name: {"context": [0, 2], "target": [1]}
    }
    (tmp_path / "index.json").write_text(json.dumps(index))
    words = ["--source", str(write_re10k(tmp_path / "a", captures)), "--out", str(tmp_path / "b"), "--to", "manifest"]
    assert main([*words, "--index", str(tmp_path / "index.json")]) == 0
    found = json.loads((tmp_path / "b" / "train" / "missing.json").read_text())
    assert found == {"wanted": 10, "missing": [f"lost{i}" for i in range(9)]}


def test_an_index_that_cannot_be_read_is_told_before_anything_is_written(
    tmp_path: Path, captures: list[TinyCapture]
) -> None:
    words = ["--source", str(write_re10k(tmp_path / "a", captures)), "--out", str(tmp_path / "b")]
    assert main([*words, "--index", str(tmp_path / "no-such.json")]) == 2
    assert not (tmp_path / "b").exists()


def test_a_split_that_no_data_set_has(tmp_path: Path, captures: list[TinyCapture]) -> None:
    source = write_dl3dv(tmp_path / "a", captures)
    assert main(["--source", str(source), "--out", str(tmp_path / "b"), "--splits", "[tset]"]) == 2
    assert not (tmp_path / "b").exists()


def test_command_writes_nothing_into_what_it_reads(tmp_path: Path, captures: list[TinyCapture]) -> None:
    root = write_re10k(tmp_path, captures[:1])
    assert main(["--source", str(root), "--out", str(root)]) == 2
    assert main(["--source", str(tmp_path / "nothing"), "--out", str(tmp_path / "x")]) == 2


def test_manifest_that_is_none(tmp_path: Path) -> None:
    for content in ({}, {"format": "recon-captures-1"}, {"format": "recon-captures-1", "captures": [3], "skipped": {}}):
        (tmp_path / "manifest.json").write_text(json.dumps(content))
        with pytest.raises(FormatError):
            read_manifest(tmp_path / "manifest.json")
