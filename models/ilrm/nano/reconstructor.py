"""iLRM-nano behind the pipeline's protocol."""

import torch
from jaxtyping import Float
from torch import Tensor

from models.hub import load_pretrained
from models.ilrm.nano.network import NanoILRM
from recon.errors import CheckpointError, InputError
from recon.geometry.projection import project
from recon.types import Gaussians, ViewSet

BYTES_PER_PIXEL = 700
"""Measured peak of a forward pass over the pixels of all views (docs/benchmarks.md), rounded up."""
NEAREST_IN_TRAINING = 0.6
"""Hardly anything in the training rooms is nearer than this, in reference lengths."""
OPACITY_CUT = 1 / 255
"""Below it a Gaussian is never drawn."""


class NanoReconstructor:
    """Feed-forward Gaussians from posed views.

    Args:
        weights: Folder, or name of shipped weights.
        device: Where the network runs.
    """

    multiple = 16

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
        if points is not None and len(points):
            unit = torch.minimum(unit, nearest_depth(points.to(self.device), views) / NEAREST_IN_TRAINING)
        with torch.no_grad(), torch.autocast(self.device.type, torch.bfloat16):
            output = self.network(
                views.images[None].to(self.device), cameras.cam_from_world[None], cameras.K[None], unit
            )
        gaussians = output.gaussians.scene(0)
        keep = views.masks.flatten().to(self.device) & (gaussians.opacities > OPACITY_CUT)
        return gaussians[keep].to("cpu")

    def memory_bytes(self, num_views: int, height: int, width: int) -> int:
        """Upper estimate from the number of pixels."""
        return BYTES_PER_PIXEL * num_views * height * width


def nearest_depth(points: Float[Tensor, "points 3"], views: ViewSet) -> Float[Tensor, "1"]:
    """Depth that 98 % of the points in front of the cameras lie beyond, a little nearer to be safe."""
    if views.cameras is None:
        raise InputError("views without cameras have no depth")
    cameras = views.cameras.to(points.device)
    _, depth = project(points.expand(len(cameras), -1, -1), cameras.cam_from_world, cameras.K)
    in_front = depth[depth > 0]
    return 0.8 * in_front.quantile(0.02)[None]
