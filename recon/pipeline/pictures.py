"""Pictures of Gaussians along a camera path, as video frames or files."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from recon.errors import InputError
from recon.render import RasterConfig, render
from recon.types import Cameras, Gaussians

# A pixel shows a surface where the Gaussians in front of it let less than half of the light through.
MIN_ALPHA = 0.5
_NUM_PROBES = 8
_PROBE_LONG_SIDE = 160
_PERCENTILES = (1.0, 99.0)
_SIDE_PX = (16, 4096)


@dataclass(frozen=True)
class Picture:
    """One rendered frame.

    Attributes:
        color: sRGB.
        depth: z-depth in world units, 0 where there is no surface; None unless asked for.
    """

    color: UInt8[np.ndarray, "height width 3"]
    depth: Float[np.ndarray, "height width"] | None


def pictures(
    gaussians: Gaussians,
    path: Cameras,
    *,
    background: Float[Tensor, "3"] | None = None,
    depth: bool = False,
    native_focal_px: float | None = None,
) -> Iterator[Picture]:
    """Render one camera after the other.

    Gaussians made for pictures of one size have gaps between them when magnified; the renderer's blur of 0.3 square
    pixels, which closes them, is therefore that of a pixel of the size that they were made for.

    Args:
        gaussians: The scene.
        path: Cameras, each with its own size.
        background: Colour behind everything; None is black.
        depth: Whether to render depth too.
        native_focal_px: Focal length of the pictures that the Gaussians were made for; None if not known.
    """
    device = gaussians.means.device
    background = None if background is None else background.to(gaussians.means)
    for i in range(len(path)):
        with torch.no_grad():
            camera, config = path[[i]].to(device), _config(path, i, native_focal_px)
            rendering = render(gaussians, camera, background=background, depth=depth, config=config)
        color = (rendering.color[0].clamp(0, 1) * 255).round().byte().numpy(force=True)
        yield Picture(color, None if rendering.depth is None else surface_depth(rendering.depth[0], rendering.alpha[0]))


def _config(path: Cameras, index: int, native_focal_px: float | None) -> RasterConfig:
    magnification = 1.0 if native_focal_px is None else max(1.0, float(path.K[index, 1, 1]) / native_focal_px)
    return RasterConfig(eps2d=RasterConfig.eps2d * magnification**2)


def surface_depth(
    depth: Float[Tensor, "height width 1"], alpha: Float[Tensor, "height width 1"]
) -> Float[np.ndarray, "height width"]:
    """Expected depth where the surface covers a pixel by more than MIN_ALPHA, else 0."""
    return torch.where(alpha > MIN_ALPHA, depth, torch.zeros_like(depth))[..., 0].float().numpy(force=True)


def fit_cameras(cameras: Cameras, size: tuple[int, int]) -> Cameras:
    """Cameras of another image size that see all that the given ones see, and more along one side if need be.

    Raises:
        InputError: The size is out of range.
    """
    width, height = size
    if not all(_SIDE_PX[0] <= side <= _SIDE_PX[1] for side in size):
        raise InputError(f"the size is {width}x{height} px, expected sides of {_SIDE_PX[0]} to {_SIDE_PX[1]}")
    target = torch.tensor([width, height], dtype=torch.float64)
    scale = (target / cameras.size.double().cpu()).min(-1).values[:, None]
    margin = (target - scale * cameras.size.double().cpu()) / 2
    K = cameras.K.double().cpu() * torch.cat([scale, scale, torch.ones_like(scale)], dim=-1)[..., None]
    K[:, :2, 2] += margin
    return Cameras(cameras.cam_from_world, K.to(cameras.K), torch.tensor([width, height]).repeat(len(cameras), 1))


def even_size(size: tuple[int, int], max_long_side: int) -> tuple[int, int]:
    """The size, reduced to a long side in pixels, with even sides as H.264 wants them."""
    scale = min(1.0, max_long_side / max(size))
    return max(2 * round(size[0] * scale / 2), 2), max(2 * round(size[1] * scale / 2), 2)


def depth_range(gaussians: Gaussians, path: Cameras) -> tuple[float, float]:
    """Near and far of what small pictures from a few cameras of the path show; (1, 2) where they show nothing."""
    step = -(-len(path) // _NUM_PROBES)
    probes = path[slice(None, None, step)]
    small = fit_cameras(probes, even_size((int(path.size[0, 0]), int(path.size[0, 1])), _PROBE_LONG_SIDE))
    shown = [p.depth[p.depth > 0] for p in pictures(gaussians, small, depth=True) if p.depth is not None]
    values = np.concatenate(shown)
    if not len(values):
        return 1.0, 2.0
    near, far = (float(v) for v in np.percentile(values, _PERCENTILES))
    return near, max(far, near * 1.001)


def colored_depth(
    depth: Float[np.ndarray, "height width"], near: float, far: float
) -> UInt8[np.ndarray, "height width 3"]:
    """Inverse depth in the colours of "turbo", near red and far blue; black where there is no surface."""
    known: Bool[np.ndarray, "height width"] = depth > 0
    closeness = (1 / np.where(known, depth, far) - 1 / far) / (1 / near - 1 / far)
    grey = (np.clip(closeness, 0, 1) * 255).round().astype(np.uint8)
    rgb = cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
    return np.where(known[..., None], rgb, np.uint8(0)).astype(np.uint8)
