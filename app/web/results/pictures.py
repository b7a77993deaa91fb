"""Pictures of every view for the page: photograph, rendering, depth, confidence."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import UInt8

from recon.geometry.spherical_harmonics import C0
from recon.io.atomic import atomic_write
from recon.io.names import safe_stem, unique_names
from recon.metrics.image import psnr
from recon.pipeline.pictures import colored_depth, depth_range, surface_depth
from recon.render import render
from recon.types import Gaussians, Scene

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

    Depth is shown as inverse depth, near red and far blue. Confidence is the mean opacity of the Gaussians that a pixel
    shows, weighted as their colours are, 0..1 from dark to bright: what is dark goes first when a scene is filtered.
    """
    (folder / FOLDER).mkdir(exist_ok=True)
    near, far = depth_range(scene.gaussians, scene.cameras)
    confident = in_colors_of_confidence(scene.gaussians)
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
            "confidence": _viridis(_bytes(render(confident, scene.cameras[[i]]).color[0])),
        }
        names = {kind: f"{FOLDER}/{stem}.{kind}.jpg" for kind in KINDS}
        for kind, picture in shown.items():
            _write(folder / names[kind], picture)
        own = color[:, mask][None, :, None], photograph[:, mask][None, :, None]
        written.files += names.values()
        quality = round(float(psnr(*own)[0]), 2)
        written.views.append({"name": scene.views.names[i], "psnr_db": quality, **names})
    return written


def in_colors_of_confidence(gaussians: Gaussians) -> Gaussians:
    """The same Gaussians, each as bright as it is opaque."""
    gray = (gaussians.opacities[:, None, None].expand(-1, 1, 3) - 0.5) / C0
    return replace(gaussians, sh=gray)


def _bytes(values: torch.Tensor) -> UInt8[np.ndarray, "height width channels"]:
    return (values.clamp(0, 1) * 255).round().byte().numpy(force=True)


def _viridis(gray: UInt8[np.ndarray, "height width channels"]) -> UInt8[np.ndarray, "height width 3"]:
    return cv2.cvtColor(
        cv2.applyColorMap(np.ascontiguousarray(gray[..., :1]), cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB
    ).astype(np.uint8)


def _write(path: Path, picture: UInt8[np.ndarray, "height width 3"]) -> None:
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), JPEG)
    if not done:
        raise ValueError("OpenCV does not write JPEG")
    with atomic_write(path) as temporary:
        temporary.write_bytes(data.tobytes())
