"""Pictures of every view for the page: photograph, rendering, depth, confidence."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import UInt8

from recon.io.atomic import atomic_write
from recon.io.names import safe_stem, unique_names
from recon.metrics.image import psnr
from recon.pipeline.pictures import colored_depth, depth_range, surface_depth
from recon.render import render
from recon.types import Scene

KINDS = ("photograph", "rendering", "depth", "confidence")
FOLDER = "pictures"
JPEG = [cv2.IMWRITE_JPEG_QUALITY, 90]


@dataclass
class Pictures:
    """What was written.

    Attributes:
        files: Relative to the folder.
        views: Of each view its name, the file of each of `KINDS`, and how near its rendering comes to the photograph
            (`psnr_db`, over the pixels of the photograph).
    """

    files: list[str] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)


@torch.no_grad()
def write_pictures(scene: Scene, folder: Path) -> Pictures:
    """Write `pictures/NAME.KIND.jpg` of every view.

    Depth is shown as inverse depth, near red and far blue. Confidence is the part of the light that the Gaussians
    take up, 0..1 from dark to bright: what a pixel of low confidence shows was hardly seen by the photographs.
    """
    (folder / FOLDER).mkdir(exist_ok=True)
    near, far = depth_range(scene.gaussians, scene.cameras)
    written = Pictures()
    for i, stem in enumerate(unique_names(safe_stem(name) for name in scene.views.names)):
        rendering = render(scene.gaussians, scene.cameras[[i]], depth=True)
        if rendering.depth is None:
            raise ValueError("depth was asked for")
        mask, photograph = scene.views.masks[i], scene.views.images[i]
        color = rendering.color[0].permute(2, 0, 1)
        shown = {
            "photograph": _bytes(photograph.permute(1, 2, 0)),
            "rendering": _bytes(rendering.color[0]),
            "depth": colored_depth(surface_depth(rendering.depth[0], rendering.alpha[0]), near, far),
            "confidence": _viridis(_bytes(rendering.alpha[0])),
        }
        names = {kind: f"{FOLDER}/{stem}.{kind}.jpg" for kind in KINDS}
        for kind, picture in shown.items():
            _write(folder / names[kind], picture)
        own = color[:, mask][None, :, None], photograph[:, mask][None, :, None]
        written.files += names.values()
        quality = round(float(psnr(*own)[0]), 2)
        written.views.append({"name": scene.views.names[i], "psnr_db": quality, **names})
    return written


def _bytes(values: torch.Tensor) -> UInt8[np.ndarray, "height width channels"]:
    return (values.clamp(0, 1) * 255).round().byte().numpy(force=True)


def _viridis(gray: UInt8[np.ndarray, "height width 1"]) -> UInt8[np.ndarray, "height width 3"]:
    return cv2.cvtColor(cv2.applyColorMap(gray, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB).astype(np.uint8)


def _write(path: Path, picture: UInt8[np.ndarray, "height width 3"]) -> None:
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), JPEG)
    if not done:
        raise ValueError("OpenCV does not write JPEG")
    with atomic_write(path) as temporary:
        temporary.write_bytes(data.tobytes())
