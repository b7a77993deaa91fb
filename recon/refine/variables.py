"""What refinement may change, in a form that an optimiser can change freely."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from recon.geometry.se3 import rigid, rotation_from_vector
from recon.refine.config import LearningRates, RefineConfig
from recon.types import Cameras, Gaussians

LOGIT_MARGIN = 1e-3
"""Opacities start inside 0..1 by this much, where the logit is finite and its gradient alive."""


class SceneVariables(nn.Module):
    """Gaussians, exposures and cameras as unconstrained numbers.

    Means are moved in units of the distance to the nearest camera, so that near and far things move equally far in the
    pictures. Exposure is a gain and an offset per view and channel, photograph = gain * colour + offset; the mean of
    all fitted views stays at gain 1 and offset 0.

    Args:
        gaussians: Where to begin.
        cameras: Of all views.
        depths: Typical depth of what each view sees, world units.
        fitted: Indices of the views that are fitted.
        config: What may change.
    """

    def __init__(
        self,
        gaussians: Gaussians,
        cameras: Cameras,
        depths: Float[Tensor, " views"],
        fitted: list[int],
        config: RefineConfig,
    ):
        super().__init__()
        self.start, self.cameras, self.depths, self.fitted, self.config = gaussians, cameras, depths, fitted, config
        self.reach = _distance_to_nearest(gaussians.means, cameras.centers)[:, None]
        self.least_scale = config.least_scale_px * self.reach / cameras.K[:, 0, 0].median()
        num = len(cameras)
        self.shift = nn.Parameter(torch.zeros_like(gaussians.means))
        free = (gaussians.scales.square() - self.least_scale.square()).clamp(min=(0.1 * self.least_scale).square())
        self.log_scales = nn.Parameter(free.log() / 2)
        self.quats = nn.Parameter(gaussians.quats.clone())
        self.logits = nn.Parameter(gaussians.opacities.clamp(LOGIT_MARGIN, 1 - LOGIT_MARGIN).logit())
        self.sh = nn.Parameter(gaussians.sh.clone())
        # Sparse rows, one a view: an optimiser then leaves alone the views that are not rendered in a step.
        self.log_gain, self.offset, self.rotation, self.translation = (
            nn.Embedding(num, 3, sparse=True, _weight=torch.zeros(num, 3)) for _ in range(4)
        )
        # The first fitted view stays where it is, so that the whole scene does.
        self.movable = torch.zeros(num, 1)
        self.movable[fitted[1:]] = 1

    def parameter_groups(self, rates: LearningRates) -> list[dict]:
        """Parameters of the Gaussians with their step sizes, for an optimiser."""
        pairs = [
            *((self.shift, rates.means), (self.log_scales, rates.scales), (self.quats, rates.quats)),
            *((self.logits, rates.opacities), (self.sh, rates.colours)),
        ]
        return [{"params": [parameter], "lr": rate} for parameter, rate in pairs]

    def view_parameter_groups(self, rates: LearningRates) -> list[dict]:
        """Parameters of single views, whose gradients are sparse, with their step sizes; may be empty."""
        pairs = []
        if self.config.exposure:
            pairs += [(self.log_gain.weight, rates.exposure), (self.offset.weight, rates.exposure)]
        if self.config.poses:
            pairs += [(self.rotation.weight, rates.rotation), (self.translation.weight, rates.translation)]
        return [{"params": [parameter], "lr": rate} for parameter, rate in pairs]

    def gaussians(self) -> Gaussians:
        """The Gaussians as they are now."""
        return Gaussians(
            means=self.start.means + self.shift * self.reach,
            scales=(self.log_scales.exp().square() + self.least_scale.square()).sqrt(),
            quats=nn.functional.normalize(self.quats, dim=1),
            opacities=self.logits.sigmoid(),
            sh=self.sh,
        )

    def cameras_at(self, index: list[int]) -> Cameras:
        """Cameras of these views as they are now: turned and shifted in their own frame."""
        cameras = self.cameras[index]
        if not self.config.poses:
            return cameras
        rows = torch.tensor(index)
        rotation = self.rotation(rows) * self.movable[rows]
        translation = self.translation(rows) * self.movable[rows] * self.depths[rows, None]
        motion = rigid(rotation_from_vector(rotation), translation)
        return Cameras(motion @ cameras.cam_from_world, cameras.K, cameras.size)

    def expose(self, colors: Float[Tensor, "3 height width"], index: int) -> Float[Tensor, "3 height width"]:
        """A rendering as the camera of this view exposed it."""
        if not self.config.exposure:
            return colors
        with torch.no_grad():
            mean_gain, mean_offset = self.log_gain.weight[self.fitted].mean(0), self.offset.weight[self.fitted].mean(0)
        row = torch.tensor(index)
        gain = (self.log_gain(row) - mean_gain).exp()
        offset = self.offset(row) - mean_offset
        return gain[:, None, None] * colors + offset[:, None, None]


def _distance_to_nearest(
    points: Float[Tensor, "points 3"], centers: Float[Tensor, "views 3"]
) -> Float[Tensor, " points"]:
    """Distance of each point to the nearest centre, without a table of all pairs."""
    nearest = torch.full_like(points[:, 0], torch.inf)
    for center in centers:
        nearest = torch.minimum(nearest, (points - center).norm(dim=1))
    return nearest
