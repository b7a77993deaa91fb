"""Kinds of photographs and videos that can be read and written here."""

import importlib.util
import tempfile
from pathlib import Path

import av
import numpy as np
from PIL import features

from recon.errors import ReconError
from recon.io.photographs.headers import FORMATS
from recon.io.video import write_mp4

NEEDS = {"JPEG": "jpg", "PNG": "zlib", "WEBP": "webp", "TIFF": "libtiff"}
"""Format -> the feature of Pillow that reads it."""
DECODERS = {"h264": "H.264", "hevc": "H.265", "vp9": "VP9", "libdav1d": "AV1", "mjpeg": "Motion JPEG"}
SIDE, NUM_FRAMES, GREY = 64, 3, 128


def image_formats() -> str:
    """Formats of photographs that are read."""
    ready = [name for name in FORMATS if name not in NEEDS or features.check(NEEDS[name])]
    return ", ".join([*ready, "HEIC"] if importlib.util.find_spec("pillow_heif") else ready)


def video_decoders() -> str:
    """Codecs of videos that can be read."""
    return ", ".join(name for codec, name in DECODERS.items() if codec in av.codecs_available)


def write_and_read_a_video() -> str:
    """Encode three grey frames as H.264, decode them, and compare; no ffmpeg program is needed for it."""
    frames = [np.full((SIDE, SIDE, 3), GREY, np.uint8)] * NUM_FRAMES
    with tempfile.TemporaryDirectory(prefix="recon-doctor-") as folder:
        path = Path(folder) / "grey.mp4"
        write_mp4(path, frames)
        with av.open(str(path)) as container:
            read = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    worst = max((int(np.abs(frame.astype(int) - GREY).max()) for frame in read), default=255)
    if len(read) != NUM_FRAMES or worst > 8:
        raise ReconError(
            f"{len(read)} of {NUM_FRAMES} frames came back, off by up to {worst} of 255", hint="install av again"
        )
    return f"{NUM_FRAMES} frames of H.264 written and read"
