from pathlib import Path

import av
import numpy as np
import pytest

from recon.errors import FormatError, InputError, LimitError
from recon.io.frames.header import read_video_header
from recon.io.limits import Limits


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Thirty frames of 48 x 32 pixels, ten a second."""
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for i in range(30):
            frame = av.VideoFrame.from_ndarray(np.full((32, 48, 3), 8 * i, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_size_and_length_are_those_of_the_video(video: Path):
    header = read_video_header(video)
    assert header.size == (48, 32)
    assert header.seconds == pytest.approx(3.0, abs=0.11)


def test_frames_that_are_too_large_are_told_before_any_is_decoded(video: Path):
    with pytest.raises(LimitError, match="48 x 32 pixels"):
        read_video_header(video, limits=Limits(max_pixels=48 * 32 - 1))


def test_what_is_no_video_is_told(tmp_path: Path):
    path = tmp_path / "a.mp4"
    path.write_text("no video")
    with pytest.raises(FormatError):
        read_video_header(path)
    with pytest.raises(InputError):
        read_video_header(tmp_path / "gone.mp4")
