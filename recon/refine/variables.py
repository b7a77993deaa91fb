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
        distances = [(gaussians.means - center).norm(dim=1) for center in cameras.centers]
        self.reach = torch.stack(distances).amin(0)[:, None]
        self.least_scale = config.least_scale_px * self.reach / cameras.K[:, 0, 0].median()
        num = len(cameras)
        self.shift = nn.Parameter(torch.zeros_like(gaussians.means))
        free = (gaussians.scales.square() - self.least_scale.square()).clamp(min=(0.1 * self.least_scale).square())
        self.log_scales = nn.Parameter(free.log() / 2)
        self.quats = nn.Parameter(gaussians.quats.clone())
        self.logits = nn.Parameter(gaussians.opacities.clamp(LOGIT_MARGIN, 1 - LOGIT_MARGIN).logit())
        self.sh = nn.Parameter(gaussians.sh.clone())
        self.log_gain = nn.Parameter(torch.zeros(num, 3), requires_grad=config.exposure)
        self.offset = nn.Parameter(torch.zeros(num, 3), requires_grad=config.exposure)
        self.rotation = nn.Parameter(torch.zeros(num, 3), requires_grad=config.poses)
        self.translation = nn.Parameter(torch.zeros(num, 3), requires_grad=config.poses)

    def parameter_groups(self, rates: LearningRates) -> list[dict]:
        """Parameters with their step sizes, for the optimiser."""
        pairs = [
            *((self.shift, rates.means), (self.log_scales, rates.scales), (self.quats, rates.quats)),
            *((self.logits, rates.opacities), (self.sh, rates.colours)),
            *((self.log_gain, rates.exposure), (self.offset, rates.exposure)),
            *((self.rotation, rates.rotation), (self.translation, rates.translation)),
        ]
        return [{"params": [parameter], "lr": rate} for parameter, rate in pairs if parameter.requires_grad]

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
        rotation, translation = self.rotation, self.translation * self.depths[:, None]
        motion = rigid(rotation_from_vector(rotation[index]), translation[index])
        return Cameras(motion @ cameras.cam_from_world, cameras.K, cameras.size)

    def expose(self, colors: Float[Tensor, "3 height width"], index: int) -> Float[Tensor, "3 height width"]:
        """A rendering as the camera of this view exposed it."""
        if not self.config.exposure:
            return colors
        gain = (self.log_gain[index] - self.log_gain[self.fitted].mean(0)).exp()
        offset = self.offset[index] - self.offset[self.fitted].mean(0)
        return gain[:, None, None] * colors + offset[:, None, None]
