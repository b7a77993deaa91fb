"""Which frames of a posed capture are given, which are predicted, and how they are prepared.

256 x 256 centre crops with given cameras. Two context frames 0 and 10, targets 2, 4, 6, 8; the four-view variant is
given frames 0, 3, 7, 10. A capture of fewer than 11 frames uses its first and last frame, four evenly spread ones, and
predicts up to four of the frames between that neither variant is given; one of fewer than five frames uses the first
and last for both.
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from recon.errors import InputError
from recon.io.photographs.canvas import center_crop_square
from recon.io.photographs.undistort import undistort
from recon.io.transforms_json import read_transforms
from recon.types import ViewSet

SIDE = 256


class NvsFrames(NamedTuple):
    """Frame numbers of one capture."""

    two: list[int]
    four: list[int]
    targets: list[int]


def choose_frames(num_frames: int) -> NvsFrames:
    """Frames of the protocol for a capture of that length.

    Raises:
        InputError: Fewer than three frames.
    """
    if num_frames >= 11:
        return NvsFrames([0, 10], [0, 3, 7, 10], [2, 4, 6, 8])
    if num_frames < 3:
        raise InputError(f"a capture of {num_frames} frames cannot be scored, expected at least 3")
    ends = [0, num_frames - 1]
    four = [round(i) for i in np.linspace(0, num_frames - 1, 4)] if num_frames >= 5 else ends
    between = [i for i in range(num_frames) if i not in four]
    picks = sorted({round(i) for i in np.linspace(0, len(between) - 1, min(4, len(between)))})
    return NvsFrames(ends, four, [between[i] for i in picks])


def every_second_upright(views: ViewSet) -> ViewSet:
    """The views as if every second one, from the second on, were an upright photograph among landscapes.

    Of it only the middle half of the width is known; the rest of the canvas repeats the edge.
    """
    images, masks, margin = views.images.clone(), views.masks.clone(), views.width // 4
    for rest, edge in ((slice(0, margin), margin), (slice(-margin, None), -margin - 1)):
        images[1::2, :, :, rest] = images[1::2, :, :, edge, None]
        masks[1::2, :, rest] = False
    return replace(views, images=images, masks=masks)


def load_scene(folder: Path) -> tuple[ViewSet, NvsFrames]:
    """Undistorted crops of all frames with their cameras, and the roles of the frames.

    Args:
        folder: Holds `cameras.json` in the convention of transforms.json.
    """
    photographs, pose = read_transforms(folder / "cameras.json")
    flat = [undistort(p, pose.cameras.K[i], pose.distortion[i]) for i, p in enumerate(photographs)]
    cameras = replace(pose.cameras, K=torch.stack([K for _, K in flat]))
    return center_crop_square([p for p, _ in flat], SIDE, cameras=cameras), choose_frames(len(photographs))
