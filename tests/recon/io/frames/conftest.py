"""Small videos whose right reading is known."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

Maker = Callable[..., Path]


def pictures(num: int, sharp: Sequence[int] = (), size: tuple[int, int] = (160, 120)) -> list[np.ndarray]:
    """Noise that moves; blurred but for the frames `sharp`. The level of red tells the time."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (size[1] // 4, size[0] // 4)).astype(np.uint8)
    grey = cv2.resize(coarse, size, interpolation=cv2.INTER_NEAREST)
    frames = []
    for i in range(num):
        moved = np.roll(grey, i, axis=1)
        shown = moved if i in sharp else cv2.GaussianBlur(moved, (0, 0), 4)
        frames.append(np.stack([np.full_like(shown, 250 * i // max(1, num)), shown, shown], axis=-1))
    return frames


def make_video(
    path: Path,
    frames: Sequence[np.ndarray],
    *,
    times: Sequence[float] | None = None,
    codec: str = "mpeg4",
    rotation: int = 0,
    aspect: Fraction | None = None,
) -> Path:
    """Encode pictures at 30 frames a second, or at the given times in seconds."""
    with av.open(str(path), "w") as container:
        options = {"qmin": "2", "qmax": "4"} if codec == "mpeg4" else {}
        stream = container.add_stream(codec, rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        for i, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = round(1000 * (i / 30 if times is None else times[i])), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture
def video() -> Maker:
    return make_video


@pytest.fixture
def moving() -> Callable[..., list[np.ndarray]]:
    return pictures
