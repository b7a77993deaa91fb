"""The published iLRM behind the pipeline's protocol.

The cameras are moved into the normalised world that the weights were trained in, and the Gaussians back into the given
one. Results turn, move and scale with the given world: the weights that take the scale from raw centres (see
`recon.geometry.normalise`) were trained on clips whose first frame is the identity, so the first view takes its place.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from models.hub import load_pretrained
from models.ilrm.network import ILRM
from models.layers.precision import bfloat16_where_fast
from recon.errors import CheckpointError, InputError
from recon.geometry.normalise import ScaleFrom, normalise_cameras, reference_camera
from recon.geometry.se3 import invert_rigid
from recon.geometry.similarity import Similarity, transform_gaussians
from recon.io.limits import MEBIBYTE
from recon.render.splats import MIN_ALPHA
from recon.types import Gaussians, ViewSet

MAX_VIEWS_FULL = 2
"""Of networks with a Gaussian per pixel: published for two views; a further one is outside of what they were taught."""
MAX_VIEWS_REDUCED = 16
"""Of networks with fewer: published for 4 to 32 views, with one network for each number. Files do not tell theirs."""
BYTES_PER_PIXEL_FULL, BYTES_PER_PIXEL_REDUCED = 2000, 1000
"""Peak of a forward pass at the published sizes over the pixels of all views: measured 1514 and 728 in float32, 920 and
506 in bfloat16 (docs/weights.md), and a reserve."""
PUBLISHED_CHANNELS_PER_PIXEL = 768 / 8**2
FIXED_BYTES = 64 * MEBIBYTE
"""Of the same, for what does not grow with the pictures."""


class ILRMReconstructor:
    """Feed-forward Gaussians from posed views: one per pixel of the viewpoint grid.

    Args:
        weights: Folder of converted weights (`recon weights import`), or of weights trained here.
        device: Where the network runs.
    """

    def __init__(self, weights: str, device: torch.device | str = "cpu"):
        pretrained = load_pretrained(weights)
        if not isinstance(pretrained.network, ILRM):
            raise CheckpointError(f"{weights} holds {pretrained.name}, expected ilrm")
        self.name = pretrained.name
        self.weights_sha256 = pretrained.sha256
        self.device = torch.device(device)
        self.network = pretrained.network.requires_grad_(False).to(self.device)  # else autocast keeps copies of weights
        config = pretrained.network.config
        self.multiple = config.patch * config.viewpoint_factor
        self.max_views = MAX_VIEWS_FULL if config.viewpoint_factor == 1 else MAX_VIEWS_REDUCED

    def reconstruct(self, views: ViewSet, *, points: Float[Tensor, "points 3"] | None = None) -> Gaussians:
        """One Gaussian per pixel of the viewpoint grid that shows a photograph, without those that are never seen.

        Args:
            views: At least two, with cameras; sides are multiples of `multiple`.
            points: Not used: the depth range of these networks follows from the cameras alone.
        """
        if views.cameras is None or len(views) < 2:
            raise InputError(f"{len(views)} views, expected at least two with cameras")
        config = self.network.config
        cameras, normalised = normalised_cameras(views.cameras.cam_from_world, config.scale_from)
        with torch.no_grad(), bfloat16_where_fast(self.device):
            images, K = views.images[None].to(self.device), views.cameras.K[None].to(self.device)
            batch = self.network(images, cameras[None].to(self.device), K)
        gaussians = batch.scene(0).to("cpu")
        keep = on_grid(views.masks.cpu(), config.viewpoint_factor).flatten() & (gaussians.opacities > MIN_ALPHA)
        return transform_gaussians(gaussians[keep], normalised.inverse())

    def memory_bytes(self, num_views: int, height: int, width: int) -> int:
        """Upper estimate from the number of pixels; the weights are held already."""
        config = self.network.config
        per_pixel = BYTES_PER_PIXEL_FULL if config.viewpoint_factor == 1 else BYTES_PER_PIXEL_REDUCED
        wider = max(config.dim / config.patch**2 / PUBLISHED_CHANNELS_PER_PIXEL, 1.0)
        return FIXED_BYTES + round(wider * per_pixel * num_views * height * width)


def normalised_cameras(
    cam_from_world: Float[Tensor, "views 4 4"], scale_from: ScaleFrom
) -> tuple[Float[Tensor, "views 4 4"], Similarity]:
    """Cameras as the network was trained with, in double precision until they are near the origin.

    Args:
        cam_from_world: Given cameras.
        scale_from: As the weights were trained; "raw" centres are those relative to the first view.

    Returns:
        World-from-camera matrices of the normalised world, and the normalised world from the given one.
    """
    cam_from_world = cam_from_world.double().cpu()
    first_from_cam = cam_from_world[0] @ invert_rigid(cam_from_world)
    normalise = normalise_cameras(first_from_cam, scale_from=scale_from, origin=reference_camera)
    norm_from_world = normalise.norm_from_world @ cam_from_world[0]
    scale = float(normalise.scale)
    similarity = Similarity(norm_from_world[:3, :3], scale * norm_from_world[:3, 3], scale)
    return normalise.apply(first_from_cam).float(), similarity


def on_grid(masks: Bool[Tensor, "views height width"], factor: int) -> Bool[Tensor, "views rows columns"]:
    """Pixels of a grid coarser by `factor` of which the photograph covers at least half."""
    covered = torch.nn.functional.avg_pool2d(masks[:, None].float(), factor)
    return covered[:, 0] >= 0.5
