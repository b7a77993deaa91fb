"""Captures as the field evaluates them: frames of a fixed index, cut as pixelSplat and its successors cut them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from PIL import Image
from torch import Tensor

from recon.data.augmentation import PosedViews
from recon.data.captures.capture import Capture, CaptureSource
from recon.data.views.evaluation_index import EvaluationIndex
from recon.errors import InputError, UnusableCaptureError

Fit = Literal["cover", "stretch"]


@dataclass(frozen=True)
class EvaluationSample:
    """One capture of an evaluation.

    Attributes:
        name: Of the capture.
        context: Views that are given.
        target: Views to predict.
        overlap_tag: Group of the pair by overlap, where the index tells it.
    """

    name: str
    context: PosedViews
    target: PosedViews
    overlap_tag: str | None


def evaluation_samples(
    source: CaptureSource,
    index: EvaluationIndex,
    size: tuple[int, int],
    num_context: int | None = None,
    *,
    fit: Fit = "cover",
) -> Iterator[EvaluationSample | InputError]:
    """Captures of the index in the order of the data set; for one that cannot be evaluated, why.

    Args:
        source: The data set; captures that the index does not name are passed over.
        index: Which frames.
        size: Height and width.
        num_context: Context views; None takes what the index says.
        fit: How pictures become that size: `cover_and_crop` or `stretch`.
    """
    for number, name in enumerate(source.names):
        if name not in index.entries:
            continue
        entry = index.entries[name]
        try:
            if entry.overlap is not None and entry.overlap_tag is None:
                raise UnusableCaptureError("overlap above 0.8", f"{name}: left out, as by the authors of the index")
            capture = source[number]
            selection = index.select(name, capture.num_published, num_context)
            context, target = (cut_views(capture, capture.frames_of(frames), size, fit) for frames in selection)
        except InputError as error:
            yield error
        else:
            yield EvaluationSample(name, context, target, entry.overlap_tag)


def cut_views(capture: Capture, frames: list[int], size: tuple[int, int], fit: Fit = "cover") -> PosedViews:
    """Frames brought to one size, with their cameras."""
    cameras = capture.cameras[frames]
    bring = cover_and_crop if fit == "cover" else stretch
    cut = [bring(capture.picture(frame), K, size) for frame, K in zip(frames, cameras.K.float(), strict=True)]
    images, K = zip(*cut, strict=True)
    return PosedViews(torch.stack(images), cameras.cam_from_world.float(), torch.stack(K))


def cover_and_crop(
    picture: UInt8[ndarray, "height width 3"], K: Float[Tensor, "3 3"], size: tuple[int, int]
) -> tuple[Float[Tensor, "3 new_height new_width"], Float[Tensor, "3 3"]]:
    """A picture resized until it just covers `size`, and the middle of it, as published evaluations do.

    Lanczos on 8-bit values; the sides are rounded. The principal point keeps its place as a fraction of the image, as
    published: where the border cut off is odd, that is half a pixel beside the place it is really at.

    Args:
        picture: sRGB.
        K: Intrinsics in its pixels.
        size: Height and width of the result.
    """
    height, width = picture.shape[:2]
    scale = max(size[0] / height, size[1] / width)
    covering = round(height * scale), round(width * scale)
    resized = np.asarray(Image.fromarray(picture).resize(covering[::-1], Image.Resampling.LANCZOS))
    top, left = (covering[0] - size[0]) // 2, (covering[1] - size[1]) // 2
    window = resized[top : top + size[0], left : left + size[1]]
    new = K.clone()
    new[0, 0] *= covering[1] / width
    new[1, 1] *= covering[0] / height
    new[0, 2] *= size[1] / width
    new[1, 2] *= size[0] / height
    return torch.from_numpy(window.copy()).permute(2, 0, 1).float() / 255, new


def stretch(
    picture: UInt8[ndarray, "height width 3"], K: Float[Tensor, "3 3"], size: tuple[int, int]
) -> tuple[Float[Tensor, "3 new_height new_width"], Float[Tensor, "3 3"]]:
    """A picture resized to `size`, each side for itself, bilinearly, as iLRM's wide release does; args as above."""
    height, width = picture.shape[:2]
    resized = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_LINEAR)
    new = K.clone()
    new[0] *= size[1] / width
    new[1] *= size[0] / height
    return torch.from_numpy(resized).permute(2, 0, 1).float() / 255, new
