"""One optimiser that fits a scene to its photographs, a view at a time."""

from dataclasses import fields
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from recon.refine.config import RefineConfig
from recon.refine.variables import SceneVariables
from recon.render.rasterizer import render
from recon.types import Cameras, Gaussians, ViewSet


class State(NamedTuple):
    """A scene as it was at some step."""

    gaussians: Gaussians
    cameras: Cameras


class Fit:
    """Gaussians on their way to the photographs.

    Args:
        gaussians: Where to begin.
        views: Photographs.
        cameras: Of the views.
        depths: Typical depth of what each view sees, world units.
        fitted: Indices of the views that are fitted.
        config: How to fit.
        generator: Source of the random backgrounds.
    """

    def __init__(
        self,
        gaussians: Gaussians,
        views: ViewSet,
        cameras: Cameras,
        depths: Float[Tensor, " views"],
        fitted: list[int],
        config: RefineConfig,
        generator: torch.Generator,
    ):
        self.views, self.generator = views, generator
        self.variables = SceneVariables(gaussians, cameras, depths, fitted, config)
        of_scene = self.variables.parameter_groups(config.rates)
        of_views = self.variables.view_parameter_groups(config.rates)
        self.optimizers: list[torch.optim.Optimizer] = [
            torch.optim.Adam(of_scene, betas=(0.9, 0.99), eps=1e-15, fused=True)
        ]
        if of_views:
            self.optimizers.append(torch.optim.SparseAdam(of_views, betas=(0.9, 0.99), eps=1e-15))
        fall = config.final_rate ** (1 / config.steps)
        self.schedules = [torch.optim.lr_scheduler.ExponentialLR(optimizer, fall) for optimizer in self.optimizers]

    def step(self, index: int) -> None:
        """Render one view, compare, change everything a little.

        The background is another one at every step, so that what should be solid becomes so.
        """
        background = torch.rand(3, generator=self.generator)
        rendered = self._render(self.variables.gaussians(), index, background)
        loss = _squared_error(rendered, self.views.images[index], self.views.masks[index])
        self.variables.zero_grad(set_to_none=True)
        loss.backward()
        for optimizer, schedule in zip(self.optimizers, self.schedules, strict=True):
            optimizer.step()
            schedule.step()

    @torch.no_grad()
    def psnr(self, index: int, gaussians: Gaussians | None = None) -> float:
        """PSNR of one view in dB over the pixels of its photograph; holes show the mean colour of the photograph.

        A view that is not fitted has no exposure of its own: it gets the one that suits its photograph best.

        Args:
            index: Of the view.
            gaussians: Rendered instead of the present ones.
        """
        image, mask = self.views.images[index], self.views.masks[index]
        rendered = self._render(gaussians or self.variables.gaussians(), index, image.mean((1, 2)))
        if self.variables.config.exposure and index not in self.variables.fitted:
            rendered = _expose_like(rendered, image, mask)
        return float(-10 * _squared_error(rendered, image, mask).clamp(min=1e-10).log10())

    @torch.no_grad()
    def state(self) -> State:
        """A copy of the scene as it is now."""
        now = self.variables.gaussians()
        copy = Gaussians(*(getattr(now, field.name).clone() for field in fields(now)))
        return State(copy, self.variables.cameras_at(list(range(len(self.views)))))

    def _render(
        self, gaussians: Gaussians, index: int, background: Float[Tensor, "3"]
    ) -> Float[Tensor, "3 height width"]:
        color = render(gaussians, self.variables.cameras_at([index]), background=background).color[0]
        return self.variables.expose(color.permute(2, 0, 1), index)


def _squared_error(
    a: Float[Tensor, "3 height width"], b: Float[Tensor, "3 height width"], mask: Bool[Tensor, "height width"]
) -> Float[Tensor, ""]:
    return ((a - b).square() * mask).sum() / (3 * mask.sum())


def _expose_like(
    image: Float[Tensor, "3 height width"], target: Float[Tensor, "3 height width"], mask: Bool[Tensor, "height width"]
) -> Float[Tensor, "3 height width"]:
    """The gain and offset of every channel that bring an image nearest to a target (least squares)."""
    x, y = image[:, mask], target[:, mask]
    dx, dy = x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)
    gain = (dx * dy).sum(1) / dx.square().sum(1).clamp(min=1e-6)
    offset = y.mean(1) - gain * x.mean(1)
    return gain[:, None, None] * image + offset[:, None, None]
