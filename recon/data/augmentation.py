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
        inverse_depth: 1 / z-depth in world units; 0 at infinity.
        cam_from_world: World-to-camera, OpenCV axes.
        K: Intrinsics in pixels.
    """

    images: Float[Tensor, "views 3 height width"]
    inverse_depth: Float[Tensor, "views height width"]
    cam_from_world: Float[Tensor, "views 4 4"]
    K: Float[Tensor, "views 3 3"]


def random_crop_resize(views: PosedViews, size: int, smallest: float, rng: np.random.Generator) -> PosedViews:
    """A random square of every view, the same for all, resized to size x size.

    Args:
        views: Square views.
        size: Side of the result in pixels.
        smallest: Least side of the square as a fraction of the full side.
        rng: Source of randomness.
    """
    full = views.images.shape[-1]
    side = round(full * rng.uniform(smallest, 1))
    top, left = (int(v) for v in rng.integers(0, full - side + 1, 2))
    window = (..., slice(top, top + side), slice(left, left + side))
    images = interpolate(views.images[window], size=(size, size), mode="bilinear", antialias=True, align_corners=False)
    depth = interpolate(views.inverse_depth[window][:, None], size=(size, size), mode="nearest-exact")[:, 0]
    K = views.K.clone()
    K[:, 0, 2] -= left
    K[:, 1, 2] -= top
    K[:, :2] *= size / side
    return PosedViews(images.clamp(0, 1), depth, views.cam_from_world, K)


def mirror(views: PosedViews) -> PosedViews:
    """The mirror world: images flipped left to right, cameras reflected in x."""
    flip = torch.diag(torch.tensor([-1.0, 1, 1, 1]))
    K = views.K.clone()
    K[:, 0, 2] = views.images.shape[-1] - K[:, 0, 2]
    return PosedViews(views.images.flip(-1), views.inverse_depth.flip(-1), flip @ views.cam_from_world @ flip, K)


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
