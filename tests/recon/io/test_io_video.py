from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from recon.errors import ExportError
from recon.io.video import write_mp4


def decode(path: Path) -> tuple[list[np.ndarray], av.video.stream.VideoStream]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)], stream


@pytest.mark.parametrize(("size", "even"), [((64, 48), (64, 48)), ((33, 21), (34, 22))])
def test_frames_size_and_rate(size: tuple[int, int], even: tuple[int, int], tmp_path: Path):
    width, height = size
    frames = (np.full((height, width, 3), 20 * i, np.uint8) for i in range(9))
    write_mp4(tmp_path / "x.mp4", frames, fps=12)
    decoded, stream = decode(tmp_path / "x.mp4")
    assert [frame.shape for frame in decoded] == [(even[1], even[0], 3)] * 9
    assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
    assert stream.average_rate == 12
    for i, frame in enumerate(decoded):
        assert np.abs(frame.astype(int) - 20 * i).max() <= 4


def test_colours_survive(tmp_path: Path, picture: Callable[[int, int], np.ndarray]):
    image = picture(96, 64)
    write_mp4(tmp_path / "x.mp4", [image] * 3)
    decoded, stream = decode(tmp_path / "x.mp4")
    assert np.abs(decoded[1].astype(int) - image).mean() < 3
    assert stream.codec_context.colorspace == 1


def test_fractional_rate(tmp_path: Path):
    write_mp4(tmp_path / "x.mp4", [np.zeros((16, 16, 3), np.uint8)] * 3, fps=29.97)
    assert decode(tmp_path / "x.mp4")[1].average_rate == Fraction(2997, 100)


def test_frames_are_taken_one_by_one(tmp_path: Path):
    """The encoder may hold some frames back, but never asks for all of them first."""
    alive = 0

    class Frame(np.ndarray):
        def __del__(self):
            nonlocal alive
            alive -= 1

    most = 0

    def frames() -> Iterator[np.ndarray]:
        nonlocal alive, most
        for _ in range(200):
            alive += 1
            most = max(most, alive)
            yield np.zeros((16, 16, 3), np.uint8).view(Frame)

    write_mp4(tmp_path / "x.mp4", frames())
    assert most < 10


def test_an_error_in_the_renderer_leaves_nothing(tmp_path: Path):
    def frames() -> Iterator[np.ndarray]:
        yield np.zeros((16, 16, 3), np.uint8)
        raise RuntimeError("renderer failed")

    with pytest.raises(RuntimeError, match="renderer failed"):
        write_mp4(tmp_path / "x.mp4", frames())
    assert list(tmp_path.iterdir()) == []


def test_wrong_use_is_told(tmp_path: Path):
    frame = np.zeros((16, 16, 3), np.uint8)
    with pytest.raises(ExportError, match="at least one frame"):
        write_mp4(tmp_path / "x.mp4", [])
    with pytest.raises(ExportError, match=r"shape \(16, 18, 3\)"):
        write_mp4(tmp_path / "x.mp4", [frame, np.zeros((16, 18, 3), np.uint8)])
    for fps in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ExportError, match="frames per second"):
            write_mp4(tmp_path / "x.mp4", [frame], fps=fps)
    with pytest.raises(ExportError, match="cannot be"):
        write_mp4(tmp_path / "none" / "x.mp4", [frame])
    assert list(tmp_path.iterdir()) == []
