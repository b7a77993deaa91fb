"""iLRM-nano behind the pipeline's protocol."""

import torch
from jaxtyping import Float
from torch import Tensor

from models.hub import load_pretrained
from models.ilrm.nano.network import NanoILRM
from models.layers.precision import bfloat16_where_fast
from recon.errors import CheckpointError, InputError
from recon.geometry.projection import project
from recon.types import Cameras, Gaussians, ViewSet

BYTES_PER_PIXEL = 900
"""Peak of a forward pass over the pixels of all views: measured 680 (docs/benchmarks.md), and a reserve."""
BYTES_PER_PIXEL_WITH_FEEDBACK = 1700
"""The same where renderings are looked at: measured 1,260."""
NEAREST_IN_TRAINING = 0.6
"""Hardly anything in the training rooms is nearer than this, in reference lengths."""
MAX_DEPTH_SAMPLES = 4_000_000
"""Points times cameras that are looked at for the depth range."""
OPACITY_CUT = 1 / 255
"""Below it a Gaussian is never drawn."""


class NanoReconstructor:
    """Feed-forward Gaussians from posed views.

    Args:
        weights: Folder, or name of shipped weights.
        device: Where the network runs.
    """

    multiple = 16
    max_views = 6  # more leave near things half transparent (model card)

    def __init__(self, weights: str = "ilrm-nano", device: torch.device | str = "cpu"):
        pretrained = load_pretrained(weights)
        if not isinstance(pretrained.network, NanoILRM):
            raise CheckpointError(f"{weights} holds {pretrained.name}, expected ilrm-nano")
        self.name = pretrained.name
        self.weights_sha256 = pretrained.sha256
        self.device = torch.device(device)
        self.network = pretrained.network.to(self.device)

    def reconstruct(self, views: ViewSet, *, points: Float[Tensor, "points 3"] | None = None) -> Gaussians:
        """One Gaussian per photograph pixel, without those that can never be seen."""
        if views.cameras is None or len(views) < 2:
            raise InputError(f"{len(views)} views, expected at least two with cameras")
        cameras = views.cameras.to(self.device)
        unit = self.network.default_unit(cameras.cam_from_world[None])
        nearest = None if points is None or not len(points) else nearest_depth(points.to(self.device), cameras)
        if nearest is not None:
            unit = unit.clamp(max=nearest / NEAREST_IN_TRAINING)
        with torch.no_grad(), bfloat16_where_fast(self.device):
            output = self.network(
                *(views.images[None].to(self.device), cameras.cam_from_world[None], cameras.K[None], unit),
                bounds=views.bounds().to(cameras.K)[None],
            )
        gaussians = output.gaussians.scene(0)
        keep = views.masks.flatten().to(self.device) & (gaussians.opacities > OPACITY_CUT)
        return gaussians[keep].to("cpu")

    def memory_bytes(self, num_views: int, height: int, width: int) -> int:
        """Upper estimate from the number of pixels."""
        feedback = self.network.feedback is not None
        return (BYTES_PER_PIXEL_WITH_FEEDBACK if feedback else BYTES_PER_PIXEL) * num_views * height * width


def nearest_depth(points: Float[Tensor, "points 3"], cameras: Cameras) -> Float[Tensor, ""] | None:
    """Depth that 98 % of what the photographs show lies beyond, a little nearer to be safe.

    Args:
        points: Sparse surface points in the world.
        cameras: Of the photographs; a point counts once for each photograph that it falls into.

    Returns:
        World units; None when no point falls into a photograph.
    """
    num = MAX_DEPTH_SAMPLES // len(cameras)
    points = points[:: -(-len(points) // num)]
    pixels, depth = project(points.expand(len(cameras), -1, -1), cameras.cam_from_world, cameras.K)
    inside = (depth > 0) & ((pixels > 0) & (pixels < cameras.size[:, None])).all(-1)
    return 0.8 * depth[inside].quantile(0.02) if bool(inside.any()) else None
