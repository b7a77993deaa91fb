"""Which frames of a video become photographs, and how they look."""

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from recon.errors import InputError, LimitError
from recon.io.frames.extract import load_video
from recon.io.frames.request import Answer, Request
from recon.io.frames.worker import take_frames
from recon.io.limits import Limits


def take(path: Path, folder: Path, window: float = 0.25, num: int | None = 40, **limits: float) -> Answer:
    """The work of the worker, in this process."""
    folder.mkdir(exist_ok=True)
    return take_frames(Request(str(path), str(folder), window, 120, num, Limits(**limits)))  # pyright: ignore[reportArgumentType]


def test_sharp_frames_become_photographs_of_one_camera(video: Callable, moving: Callable, tmp_path: Path):
    sharp = [3, 12, 17, 25, 34, 44, 50, 56]  # one in each quarter of a second
    path = video(tmp_path / "clip.mp4", moving(60, sharp))
    found = load_video(path)
    assert [p.name for p in found.photographs] == [f"frame_{i:06d}.jpg" for i in sharp]
    assert {p.camera_id for p in found.photographs} == {"video clip.mp4 160x120"}
    assert {p.size for p in found.photographs} == {p.original_size for p in found.photographs} == {(160, 120)}
    assert (found.num_frames, found.num_damaged) == (60, 0)
    assert found.seconds == pytest.approx(59 / 30, abs=2e-3)
    assert found.words == "2.0 s, 8 of 60 frames taken, the sharpest of each 0.25 s"
    assert found.times[1] == pytest.approx(12 / 30, abs=2e-3)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mov", "mpeg4"), ("a.avi", "mpeg4"), ("a.mkv", "mpeg4"), ("a.m4v", "libx264"), ("a.webm", "libvpx-vp9")],
)
def test_containers_and_codecs(name: str, codec: str, video: Callable, moving: Callable, tmp_path: Path):
    path = video(tmp_path / name, moving(20, range(20)), codec=codec)
    answer = take(path, tmp_path / "out")
    assert answer.num_frames == 20
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [frame.file_name for frame in answer.frames]
    assert 2 <= len(answer.frames) <= 3


def test_frames_per_second_and_views(video: Callable, moving: Callable, tmp_path: Path):
    path = video(tmp_path / "clip.mp4", moving(90, range(0, 90, 3)))
    assert len(load_video(path, fps=2).photographs) == 6
    assert len(load_video(path, max_views=4).photographs) == 4
    with pytest.raises(LimitError, match="more than 3 frames would be taken"):
        load_video(path, fps=5, limits=Limits(max_photographs=3))
    for options in ({"fps": 0.0}, {"fps": -1.0}, {"fps": float("nan")}, {"max_views": 0}):
        with pytest.raises(InputError):
            load_video(path, **options)


def test_long_videos_give_about_forty(video: Callable, moving: Callable, tmp_path: Path):
    times = [i * 0.7 for i in range(300)]
    answer = take(video(tmp_path / "clip.mp4", moving(300, size=(32, 24)), times=times), tmp_path / "out")
    assert 30 <= len(answer.frames) <= 40
    assert len(list((tmp_path / "out").iterdir())) == len(answer.frames)
    gaps = np.diff([frame.seconds for frame in answer.frames])
    assert gaps.max() < 2 * answer.window + 0.7
    assert answer.window == pytest.approx(299 * 0.7 / 40, rel=0.1)


def test_varying_rate_is_taken_by_time_not_by_number(video: Callable, moving: Callable, tmp_path: Path):
    """Ninety frames in the first second, ten in the next nine: windows are of equal time."""
    times = [i / 90 for i in range(90)] + [1.0 + 0.9 * i for i in range(10)]
    answer = take(video(tmp_path / "clip.mkv", moving(100), times=times), tmp_path / "out", window=1.0)
    assert sum(frame.index < 90 for frame in answer.frames) == 1
    assert len(answer.frames) == pytest.approx(10, abs=1)


def test_colours_survive(video: Callable, tmp_path: Path):
    colours = [(200, 40, 30), (30, 160, 60), (40, 60, 190), (128, 128, 128)]
    picture = np.concatenate([np.full((64, 32, 3), colour, np.uint8) for colour in colours], axis=1)
    for codec in ("mpeg4", "libx264"):
        folder = tmp_path / codec
        answer = take(video(tmp_path / f"{codec}.mp4", [picture] * 3, codec=codec), folder)
        found = cv2.cvtColor(cv2.imread(str(folder / answer.frames[0].file_name)), cv2.COLOR_BGR2RGB)
        for i, colour in enumerate(colours):
            middle = found[16:48, 32 * i + 8 : 32 * i + 24].reshape(-1, 3).mean(axis=0)
            assert np.abs(middle - colour).max() < 5, (codec, colour, middle)


def with_display_matrix(path: Path, a: int, b: int, c: int, d: int) -> None:
    """Write the upper left of the matrix of the track header (ISO/IEC 14496-12, 8.3.2) in 16.16 fixed point."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 4 + 20 + 16
    struct.pack_into(">iiiii", data, matrix, a << 16, b << 16, 0, c << 16, d << 16)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("matrix", "quarter_turns_clockwise"), [((0, 1, -1, 0), 1), ((-1, 0, 0, -1), 2), ((0, -1, 1, 0), 3)]
)
def test_rotation_of_phones_is_applied(
    matrix: tuple[int, int, int, int], quarter_turns_clockwise: int, video: Callable, tmp_path: Path
):
    """The matrix maps (x, y) to (a x + c y, b x + d y), with y down: (0, 1, -1, 0) turns clockwise by a quarter."""
    stored = np.zeros((48, 64, 3), np.uint8)
    stored[:24, :32] = 255
    stored[:24, 32:] = 120
    path = video(tmp_path / "clip.mp4", [stored] * 3)
    with_display_matrix(path, *matrix)
    answer = take(path, tmp_path / "out")
    found = cv2.imread(str(tmp_path / "out" / answer.frames[0].file_name))
    expected = np.rot90(stored, -quarter_turns_clockwise)
    assert answer.frames[0].size == (expected.shape[1], expected.shape[0])
    assert np.abs(found.astype(int) - expected).mean() < 8


def test_wide_pixels_are_widened_and_large_frames_reduced(video: Callable, moving: Callable, tmp_path: Path):
    path = video(tmp_path / "clip.mkv", moving(3), aspect=Fraction(4, 3))
    answer = take(path, tmp_path / "out", max_long_side=107)
    assert answer.frames[0].size == (213, 120)
    assert cv2.imread(str(tmp_path / "out" / answer.frames[0].file_name)).shape == (60, 107, 3)


def test_size_of_the_file_is_kept_beside_the_reduced_picture(video: Callable, moving: Callable, tmp_path: Path):
    photograph = load_video(video(tmp_path / "clip.mp4", moving(3)), limits=Limits(max_long_side=80)).photographs[0]
    assert photograph.size == (80, 60)
    assert photograph.original_size == (160, 120)
