"""A video that flies through the scene."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from recon.io.video import write_mp4
from recon.pipeline.pictures import even_size, fit_cameras, pictures
from recon.render.trajectory import tour
from recon.types import Cameras, Scene

FPS = 24
SECONDS_PER_VIEW = 0.5
MAX_SECONDS = 20
MAX_LONG_SIDE = 640


def export_mp4(scene: Scene, folder: Path) -> list[Path]:
    """Write `turntable.mp4`: H.264, a loop through the cameras of the scene."""
    cameras = scene.cameras
    cameras = fit_cameras(cameras, even_size((int(cameras.size[0, 0]), int(cameras.size[0, 1])), MAX_LONG_SIDE))
    path = folder / "turntable.mp4"
    write_mp4(path, _there_and_back(scene, tour(cameras, num_tour_frames(len(cameras)))), FPS)
    return [path]


def _there_and_back(scene: Scene, path: Cameras) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """Frames of a tour; its way back leads through the places of the way there, whose pictures are shown again."""
    turning = len(path) // 2
    shown = []
    for picture in pictures(scene.gaussians, path[: turning + 1]):
        shown.append(picture.color)
        yield picture.color
    yield from reversed(shown[1 : len(path) - turning])


def num_tour_frames(num_views: int) -> int:
    """Frames of a tour that stays a while with each view."""
    return round(min(MAX_SECONDS, max(4, SECONDS_PER_VIEW * 2 * num_views)) * FPS)
