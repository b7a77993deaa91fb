"""Videos, decoded as the process for foreign videos does, but in this one, where a crash of the decoder is seen."""

from dataclasses import replace
from pathlib import Path

import av
import av.logging
import cv2
import numpy as np
from fuzzing import SMALL
from seed_data import written

from recon.io.frames.request import Request
from recon.io.frames.worker import take_frames

LIMITS = replace(SMALL, max_video_frames=16)
KINDS = ((".mp4", "libx264"), (".mkv", "mpeg4"), (".avi", "mjpeg"), (".webm", "libvpx"))


def small_video(path: Path, codec: str) -> None:
    av.logging.set_level(None)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height = 32, 32
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for i in range(3):
            picture = np.full((32, 32, 3), 80 * i, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def seeds() -> list[bytes]:
    cv2.setNumThreads(1)
    return [written(lambda path, codec=codec: small_video(path, codec), f"x{suffix}") for suffix, codec in KINDS]


def feed(data: bytes, folder: Path) -> object:
    path, frames = folder / "x.mp4", folder / "frames"
    path.write_bytes(data)
    frames.mkdir(exist_ok=True)
    try:
        return take_frames(Request(str(path), str(frames), window=0.1, capacity=4, num=4, limits=LIMITS))
    finally:
        for file in frames.iterdir():
            file.unlink()
