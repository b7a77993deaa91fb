import json
import math
import os
import pickle
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from recon.data.captures.checks import BAD_PICTURE, FAR_CAMERA, IMPOSSIBLE_CAMERA
from recon.data.captures.re10k_chunks import Re10kChunks
from recon.errors import FormatError, InputError, LimitError, UnusableCaptureError
from tests.tiny_captures import TinyCapture, re10k_example, tiny_captures, write_re10k


@pytest.fixture(scope="module")
def captures() -> list[TinyCapture]:
    return tiny_captures(3, frames=4)


@pytest.fixture
def root(tmp_path: Path, captures: list[TinyCapture]) -> Path:
    return write_re10k(tmp_path, captures)


def write_chunk(folder: Path, content: object, key: str = "a") -> Re10kChunks:
    (folder / "train").mkdir(parents=True)
    torch.save(content, folder / "train" / "000000.torch")
    (folder / "train" / "index.json").write_text(json.dumps({key: "000000.torch"}))
    return Re10kChunks(folder)


def test_captures_come_back(root: Path, captures: list[TinyCapture]) -> None:
    source = Re10kChunks(root)
    assert source.names == tuple(capture.name for capture in captures)
    assert source.groups == ((0, 1), (2,))
    for index, expected in enumerate(captures):
        found = source[index]
        assert (found.name, found.url, found.timestamps) == (expected.name, expected.url, expected.timestamps)
        torch.testing.assert_close(found.cameras.K, expected.cameras.K, rtol=1e-6, atol=1e-5)
        torch.testing.assert_close(found.cameras.cam_from_world, expected.cameras.cam_from_world)
        assert torch.equal(found.cameras.size, expected.cameras.size)
        assert found.encoded is not None
        assert found.encoded(2) == expected.jpegs[2]
        assert np.abs(found.picture(2).astype(float) - expected.images[2]).mean() < 2


def test_eighteen_numbers_of_a_camera_made_by_hand(tmp_path: Path, captures: list[TinyCapture]) -> None:
    # Turned by 90 degrees about y: the camera looks along world +x from (1, 2, 3), so its x axis is world -z.
    rows = [[0, 0, -1, 3], [0, 1, 0, -2], [1, 0, 0, -1]]
    vector = [0.9, 1.2, 0.5, 0.25, 0, 0, *(value for row in rows for value in row)]
    entry = re10k_example(captures[0]) | {"key": "a", "cameras": torch.tensor([vector] * 4)}
    cameras = write_chunk(tmp_path, [entry])[0].cameras
    torch.testing.assert_close(cameras.K[0], torch.tensor([[86.4, 0, 48], [0, 76.8, 16], [0, 0, 1]]))
    torch.testing.assert_close(cameras.centers[0], torch.tensor([1.0, 2, 3]))
    torch.testing.assert_close(cameras.world_from_cam[0, :3, 2], torch.tensor([1.0, 0, 0]))
    torch.testing.assert_close(cameras.world_from_cam[0, :3, 0], torch.tensor([0.0, 0, -1]))


def test_files_of_old_torch_are_read_whole_within_a_limit(
    tmp_path: Path, captures: list[TinyCapture], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Re10kChunks(write_re10k(tmp_path / "old", captures, zipped=False))[0]
    new = Re10kChunks(write_re10k(tmp_path / "new", captures))[0]
    assert np.array_equal(old.picture(1), new.picture(1))
    assert torch.equal(old.cameras.K, new.cameras.K)
    monkeypatch.setattr("recon.data.captures.chunk_file.MAX_LEGACY_BYTES", 100)
    with pytest.raises(LimitError, match="torch before"):
        Re10kChunks(tmp_path / "old")[0]
    assert len(Re10kChunks(tmp_path / "new")[0]) == 4


def test_names_do_not_depend_on_how_often_they_are_read(root: Path) -> None:
    assert Re10kChunks(root).names == Re10kChunks(root).names
    index = json.loads((root / "train" / "index.json").read_text())
    (root / "train" / "index.json").write_text(json.dumps(dict(reversed(index.items()))))
    assert [Re10kChunks(root).names[i] for i in Re10kChunks(root).groups[1]] == ["0000000000000002"]


def test_val_is_test_where_it_has_no_folder(tmp_path: Path, captures: list[TinyCapture]) -> None:
    write_re10k(tmp_path, captures[:1], "test")
    assert Re10kChunks(tmp_path, "val").names == (captures[0].name,)
    with pytest.raises(InputError, match="no split 'train'"):
        Re10kChunks(tmp_path, "train")


@pytest.mark.skipif(sys.platform != "linux", reason="resident pages of a mapping are told by /proc")
def test_one_picture_does_not_read_the_chunk(tmp_path: Path, captures: list[TinyCapture]) -> None:
    # 40 captures of 4 pictures, each with 200 kB behind its JPEG, as large pictures would have.
    padding = b"\0" * 200_000
    entries = []
    for number in range(40):
        entry = re10k_example(captures[0])
        images = [torch.tensor(np.frombuffer(jpeg + padding, np.uint8)) for jpeg in captures[0].jpegs]
        entries.append(entry | {"key": str(number), "images": images})
    source = write_chunk(tmp_path, entries, key="20")
    capture = source[0]
    assert capture.picture(1).shape == (64, 96, 3)
    path = tmp_path / "train" / "000000.torch"
    blocks = Path("/proc/self/smaps").read_text().split(str(path))[1:]
    resident_kib = sum(int(block.split("Rss:")[1].split()[0]) for block in blocks)
    assert os.path.getsize(path) > 30e6
    assert 0 < resident_kib * 1024 < 3e6


def test_reader_can_go_to_another_process(root: Path) -> None:
    source = Re10kChunks(root)
    source[0]
    copy = pickle.loads(pickle.dumps(source))
    assert len(pickle.dumps(source)) < 5_000
    assert np.array_equal(copy[0].picture(0), source[0].picture(0))


def test_cache_keeps_no_more_chunks_than_asked(root: Path) -> None:
    source = Re10kChunks(root, max_open=1)
    first, other = source[0], source[2]
    assert len(source._cache._opened) == 1
    assert first.picture(0).shape == other.picture(0).shape


class Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch /tmp/this-must-not-be-there",)


def test_code_in_a_chunk_is_refused(tmp_path: Path, captures: list[TinyCapture]) -> None:
    source = write_chunk(tmp_path, [re10k_example(captures[0]) | {"key": "a", "url": Code()}])
    with pytest.raises(FormatError, match="not a chunk of captures") as caught:
        source[0]
    assert "fetch it again" in caught.value.hint
    assert not Path("/tmp/this-must-not-be-there").exists()


@pytest.mark.parametrize("keep", [0.0, 0.001, 0.5, 0.999])
def test_truncated_chunk(root: Path, keep: float) -> None:
    path = root / "train" / "000000.torch"
    data = path.read_bytes()
    path.write_bytes(data[: math.ceil(keep * len(data))])
    with pytest.raises(FormatError, match=r"000000\.torch: not a chunk"):
        Re10kChunks(root)[0]


def test_index_that_names_a_missing_chunk(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    (root / "train" / "000001.torch").unlink()
    with pytest.raises(FormatError, match=r"1 chunks .* are missing, with 1 of 3 captures: 000001\.torch"):
        Re10kChunks(root)
    assert len(Re10kChunks(root, missing_chunks="skip")) == 2
    assert "1 of 3 captures" in caplog.text


def test_index_that_belongs_to_other_chunks(root: Path) -> None:
    (root / "train" / "index.json").write_text(json.dumps({"stranger": "000000.torch"}))
    with pytest.raises(FormatError, match="does not hold 'stranger'"):
        Re10kChunks(root)[0]


@pytest.mark.parametrize(
    ("index", "message"),
    [({"a": "../000000.torch"}, "name of a file"), ({"a": 3}, "name of a file"), ({}, "names no capture")],
)
def test_index_that_is_none(root: Path, index: object, message: str) -> None:
    (root / "train" / "index.json").write_text(json.dumps(index))
    with pytest.raises(FormatError, match=message):
        Re10kChunks(root)


def replaced(captures: list[TinyCapture], **changes: object) -> list[object]:
    return [re10k_example(captures[0]) | {"key": "a"} | changes]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": 1}, "holds a dict"),
        ([], "an empty list"),
        ([3], "capture 0 is a int"),
        ([{"key": "a", "images": []}], "has no cameras; it holds images, key"),
    ],
)
def test_chunk_that_is_no_list_of_captures(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        write_chunk(tmp_path, content)[0]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("key", 7, "the key is a int"),
        ("cameras", torch.zeros(4, 17), r"shape \(4, 17\)"),
        ("cameras", torch.zeros(4, 18, dtype=torch.int64), "a tensor of int64"),
        ("cameras", torch.zeros(1, 18).expand(10**9, 18), "expected .1 to 100000 frames"),
        ("images", [torch.zeros(3, dtype=torch.uint8)], "1 images, 4 cameras"),
        ("images", ["a"] * 4, "image 0 is a str"),
        ("images", [torch.zeros(9)] * 4, "image 0 is a tensor of float32"),
        ("images", [torch.zeros(1, dtype=torch.uint8).expand(10**12)] * 4, "1,000,000,000,000 bytes"),
        ("timestamps", torch.zeros(3, dtype=torch.int64), "timestamps are a tensor"),
        (
            "cameras",
            torch.zeros(4, 18, device="meta"),
            "cameras are a tensor that is nested, sparse or",
        ),
        ("images", [torch.zeros(9, dtype=torch.uint8, device="meta")] * 4, "image 0 is a tensor that is nested"),
        ("timestamps", torch.zeros(4, dtype=torch.int64).to_sparse(), "timestamps are a tensor that is nested"),
        ("missing_frames", [3, 1], "missing_frames is .3, 1., expected ascending numbers"),
        ("missing_frames", [6], "expected ascending numbers"),
        ("url", 3, "the url is a int"),
    ],
)
def test_malformed_capture_says_what_was_found(
    tmp_path: Path, captures: list[TinyCapture], field: str, value: object, message: str
) -> None:
    with pytest.raises(FormatError, match=message):
        write_chunk(tmp_path, replaced(captures, **{field: value}))[0]


def test_cameras_that_were_saved_as_parameters(tmp_path: Path, captures: list[TinyCapture]) -> None:
    cameras = re10k_example(captures[0])["cameras"]
    assert isinstance(cameras, torch.Tensor)
    source = write_chunk(tmp_path, replaced(captures, cameras=torch.nn.Parameter(cameras)))
    torch.testing.assert_close(source[0].cameras.K, captures[0].cameras.K, rtol=1e-6, atol=1e-5)


def test_a_chunk_that_unpacks_to_more_than_it_holds(root: Path) -> None:
    path = root / "train" / "000000.torch"
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    with pytest.raises(FormatError, match=r"000000\.torch: not a chunk of captures \(the entry .* is packed"):
        Re10kChunks(root)[0]


def test_two_captures_of_one_key(tmp_path: Path, captures: list[TinyCapture]) -> None:
    source = write_chunk(tmp_path, [*replaced(captures), *replaced(captures)])
    with pytest.raises(FormatError, match="not the only one of this key"):
        source[0]


def test_a_damaged_capture_leaves_the_others_of_its_chunk(tmp_path: Path, captures: list[TinyCapture]) -> None:
    whole, torn, nameless = (re10k_example(capture) for capture in captures)
    del nameless["key"]
    source = Re10kChunks(write_re10k(tmp_path, captures, per_chunk=3))
    torch.save([torn | {"cameras": torch.zeros(4, 17)}, nameless, whole], tmp_path / "train" / "000000.torch")
    with pytest.raises(FormatError, match=rf"capture 0 \('{captures[1].name}'\): cameras have shape") as caught:
        source[1]
    assert "other captures" in caught.value.hint
    with pytest.raises(FormatError, match=r"does not hold .*; .*capture 1 has no key; it holds cameras, images"):
        source[2]
    assert source[0].picture(0).shape == (64, 96, 3)


def test_unusable_captures_say_why(tmp_path: Path, captures: list[TinyCapture]) -> None:
    cameras = re10k_example(captures[0])["cameras"]
    assert isinstance(cameras, torch.Tensor)
    nan, far = cameras.clone(), cameras.clone()
    nan[2, 7], far[1, 9] = math.nan, 2e3
    for number, (changes, reason) in enumerate([
        (dict(cameras=nan), IMPOSSIBLE_CAMERA),
        (dict(cameras=far), FAR_CAMERA),
        (dict(images=[torch.ones(9, dtype=torch.uint8)] * 4), BAD_PICTURE),
    ]):  # fmt: skip
        source = write_chunk(tmp_path / str(number), replaced(captures, **changes))
        with pytest.raises(UnusableCaptureError) as caught:
            source[0]
        assert caught.value.reason == reason


def test_picture_damaged_behind_its_header(tmp_path: Path, captures: list[TinyCapture]) -> None:
    cut = [torch.tensor(np.frombuffer(jpeg[:-1500], np.uint8)) for jpeg in captures[0].jpegs]
    capture = write_chunk(tmp_path, replaced(captures, images=cut))[0]
    with pytest.raises(FormatError, match="frame 3: not a readable image"):
        capture.picture(3)
