"""A video that flies through the scene."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from recon.io.video import write_mp4
from recon.render.rasterizer import render
from recon.render.trajectory import tour
from recon.types import Cameras, Scene

FPS = 24
SECONDS_PER_VIEW = 0.5
MAX_SECONDS = 20
MAX_LONG_SIDE = 640


def export_mp4(scene: Scene, folder: Path) -> list[Path]:
    """Write `turntable.mp4`: H.264, a loop through the cameras of the scene."""
    seconds = min(MAX_SECONDS, max(4, SECONDS_PER_VIEW * 2 * len(scene.cameras)))
    path = folder / "turntable.mp4"
    write_mp4(path, _frames(scene, tour(_fit(scene.cameras), round(seconds * FPS))), FPS)
    return [path]


def _fit(cameras: Cameras) -> Cameras:
    """Even sizes, as H.264 wants, of at most MAX_LONG_SIDE."""
    width, height = (int(v) for v in cameras.size[0])
    scale = min(1.0, MAX_LONG_SIDE / max(width, height))
    size = torch.tensor([2 * round(width * scale / 2), 2 * round(height * scale / 2)])
    factor = torch.tensor([float(size[0]) / width, float(size[1]) / height, 1.0])
    return replace(cameras, K=cameras.K * factor[:, None], size=size.expand(len(cameras), 2).contiguous())


def _frames(scene: Scene, path: Cameras) -> Iterator[np.ndarray]:
    for i in range(len(path)):
        with torch.no_grad():
            color = render(scene.gaussians, path[[i]]).color[0]
        yield (color.clamp(0, 1) * 255).round().byte().numpy(force=True)
