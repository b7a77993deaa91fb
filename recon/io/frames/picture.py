"""A decoded frame as a picture: its sharpness, and its upright sRGB pixels."""

import av
import cv2
import numpy as np
from av.video.reformatter import Colorspace, Interpolation
from jaxtyping import UInt8

# Sharpness is judged at this width: fine enough for blur by motion, too coarse for noise of the sensor.
JUDGED_WIDTH = 480
# Wider pixels than these are taken for junk.
PLAUSIBLE_ASPECT = (0.25, 4.0)
# ITU-T H.273 code point "unspecified"; from this height on it means BT.709, as broadcasters and players take it.
UNSPECIFIED, HD_HEIGHT = 2, 720


def sharpness(frame: av.VideoFrame) -> float:
    """Variance of the Laplacian of the grey picture (Pech-Pacheco et al. 2000)."""
    height = max(1, round(frame.height * JUDGED_WIDTH / frame.width))
    grey = frame.reformat(width=JUDGED_WIDTH, height=height, format="gray", interpolation=Interpolation.AREA)
    return float(cv2.Laplacian(grey.to_ndarray(), cv2.CV_32F).var())


def upright_size(frame: av.VideoFrame, aspect: float) -> tuple[int, int]:
    """Width and height as a player shows the frame, where a pixel is `aspect` times as wide as high."""
    width, height = max(1, round(frame.width * _plausible(aspect))), frame.height
    return (height, width) if _quarter_turns(frame) % 2 else (width, height)


def upright_pixels(frame: av.VideoFrame, aspect: float, max_long_side: int) -> UInt8[np.ndarray, "height width 3"]:
    """Pixels as a player shows the frame, reduced so that no side is longer than `max_long_side`."""
    width, height = frame.width * _plausible(aspect), frame.height
    scale = min(1.0, max_long_side / max(width, height))
    colorspace = int(frame.colorspace)
    if colorspace == UNSPECIFIED and frame.height >= HD_HEIGHT:
        colorspace = int(Colorspace.ITU709)
    rgb = frame.reformat(
        width=max(1, round(width * scale)),
        height=max(1, round(height * scale)),
        format="rgb24",
        src_colorspace=colorspace,
        interpolation=Interpolation.AREA if scale < 1 else Interpolation.BICUBIC,
    )
    return np.ascontiguousarray(np.rot90(rgb.to_ndarray(), _quarter_turns(frame)))


def _quarter_turns(frame: av.VideoFrame) -> int:
    """Counter-clockwise quarter turns that make the frame upright."""
    return round(frame.rotation / 90) % 4


def _plausible(aspect: float) -> float:
    return aspect if PLAUSIBLE_ASPECT[0] <= aspect <= PLAUSIBLE_ASPECT[1] else 1.0
