"""Random changes of posed views that keep images, cameras and depth consistent with each other."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate


@dataclass(frozen=True)
class PosedViews:
    """Views of one scene as tensors.

    Attributes:
        images: sRGB 0..1.
        cam_from_world: World-to-camera, OpenCV axes.
        K: Intrinsics in pixels.
        inverse_depth: 1 / z-depth in 1 / world units, 0 at infinity; None where it is not known.
    """

    images: Float[Tensor, "views 3 height width"]
    cam_from_world: Float[Tensor, "views 4 4"]
    K: Float[Tensor, "views 3 3"]
    inverse_depth: Float[Tensor, "views height width"] | None = None


def random_crop_resize(
    views: PosedViews, size: tuple[int, int], smallest: float, rng: np.random.Generator
) -> PosedViews:
    """A random window of every view, the same for all, resized.

    Args:
        views: Views of one size.
        size: Height and width of the result in pixels; the window has their aspect ratio.
        smallest: Least side of the window as a fraction of the largest that fits; at 1 it is that one, in the centre.
        rng: Source of randomness.
    """
    height, width = views.images.shape[-2:]
    fraction = rng.uniform(smallest, 1)
    scale = fraction * min(height / size[0], width / size[1])
    window = round(size[0] * scale), round(size[1] * scale)
    if smallest < 1:
        top, left = (int(rng.integers(0, n - w + 1)) for n, w in zip((height, width), window, strict=True))
    else:
        top, left = ((n - w) // 2 for n, w in zip((height, width), window, strict=True))
    inside = (..., slice(top, top + window[0]), slice(left, left + window[1]))
    images = interpolate(views.images[inside], size=size, mode="bilinear", antialias=True, align_corners=False)
    depth = views.inverse_depth
    if depth is not None:
        depth = interpolate(depth[inside][:, None], size=size, mode="nearest-exact")[:, 0]
    K = views.K.clone()
    K[:, 0, 2] -= left
    K[:, 1, 2] -= top
    K[:, 0] *= size[1] / window[1]
    K[:, 1] *= size[0] / window[0]
    return PosedViews(images.clamp(0, 1), views.cam_from_world, K, depth)


def mirror(views: PosedViews) -> PosedViews:
    """The mirror world: images flipped left to right, cameras reflected in x."""
    flip = torch.diag(torch.tensor([-1.0, 1, 1, 1]))
    K = views.K.clone()
    K[:, 0, 2] = views.images.shape[-1] - K[:, 0, 2]
    depth = None if views.inverse_depth is None else views.inverse_depth.flip(-1)
    return PosedViews(views.images.flip(-1), flip @ views.cam_from_world @ flip, K, depth)


def jitter_colour(views: PosedViews, strength: float, rng: np.random.Generator) -> PosedViews:
    """One random exposure, gamma, white balance and saturation for the whole scene."""
    gain = torch.tensor(np.exp(rng.normal(0, strength / 2, 3) + rng.normal(0, strength)), dtype=torch.float32)
    gamma = float(np.exp(rng.normal(0, strength)))
    saturation = float(np.exp(rng.normal(0, 2 * strength)))
    images = views.images.clamp(min=1e-4) ** gamma * gain[:, None, None]
    grey = images.mean(1, keepdim=True)
    images = grey + saturation * (images - grey)
    if rng.random() < 0.15:
        images = images[:, torch.from_numpy(rng.permutation(3))]
    return replace(views, images=images.clamp(0, 1))
