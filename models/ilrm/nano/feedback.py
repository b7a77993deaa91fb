"""Feedback: show the Gaussians to the photographs they come from, see what is wrong, change them.

    maps of every pixel: log depth, attributes
      -> Gaussians -> rendered into all context views            what do all views together show?
      -> error, depth in front of the own, gradient of every map  what spoils it, and which way is better?
      -> convolutions at half size                                how much to believe that
      -> changed maps; the same again with the same weights

Matching compares two views at a time, and every pixel's depth is decided alone. Only a rendering shows what the
Gaussians of all views look like together: doubled edges, veils in front of things, holes. The gradient of its error
tells how the pixels of one view spoil the picture of another; a learned step uses it better than a fixed one
(Andrychowicz et al. 2016; Flynn et al. 2019, DeepView; for Gaussians Chen et al. 2024, G3R; Xu et al. 2025, ReSplat).
"""

from typing import NamedTuple, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from models.ilrm.nano.config import FeedbackConfig
from models.ilrm.nano.decoder import NUM_ATTRIBUTES, gaussians_from_maps
from models.ilrm.nano.features import ResidualBlock, conv
from models.ilrm.nano.sweep import PosedCameras
from models.layers.precision import full_precision
from recon.render.rasterizer import get_rasterizer
from recon.types import Gaussians

NUM_MAPS = 1 + NUM_ATTRIBUTES
NUM_SIGNALS = 3 + 1 + 1 + NUM_MAPS
"""Error of colour, opacity, depth in front of the own, gradients."""
STEP_OF_DEPTH = 0.1
"""What a one at the output does to log depth; to attributes it does one."""
LARGEST = 0.5
"""Differences of log depth beyond it say no more."""


class Maps(NamedTuple):
    """What the Gaussians of all pixels are made of: log of depth in reference lengths, and raw attributes."""

    log_depth: Float[Tensor, "batch views height width"]
    attributes: Float[Tensor, "batch views attributes height width"]

    def stacked(self) -> Float[Tensor, "batch views maps height width"]:
        """Both as channels of one tensor."""
        return torch.cat([self.log_depth[:, :, None], self.attributes.float()], dim=2)


class Feedback(nn.Module):
    """A learned correction of Gaussians; see the module's docstring. It begins by changing nothing.

    Args:
        config: Sizes, and how often to correct.
        context_dim: Channels of the network's maps at half size.
    """

    def __init__(self, config: FeedbackConfig, context_dim: int):
        super().__init__()
        self.passes = config.passes
        inputs = 4 * (3 + NUM_MAPS + NUM_SIGNALS)
        self.begin = conv(context_dim, config.width, 1)
        self.enter = conv(inputs + config.width, config.width, 1)
        self.body = nn.Sequential(*(ResidualBlock(config.width) for _ in range(config.blocks)))
        self.head = conv(config.width, 4 * NUM_MAPS, 1)
        for parameter in self.head.parameters():
            nn.init.zeros_(parameter)

    def forward(
        self,
        images: Float[Tensor, "batch views 3 height width"],
        maps: Maps,
        context: Float[Tensor, "n context_dim height_2 width_2"],
        cameras: PosedCameras,
        unit: Float[Tensor, " batch"],
    ) -> Maps:
        """The maps after all passes.

        Args:
            images: sRGB 0..1.
            maps: As the network has made them.
            context: Its last maps, n = batch times views.
            cameras: Of the images.
            unit: Reference length of every scene.
        """
        stacked, memory = maps.stacked(), self.begin(context)
        for _ in range(self.passes):
            memory = self._look(images, stacked, memory, cameras, unit)
            stacked = stacked + self._change(memory, views=images.shape[1])
        return Maps(stacked[:, :, 0], stacked[:, :, 1:])

    def _look(self, images: Tensor, stacked: Tensor, memory: Tensor, cameras: PosedCameras, unit: Tensor) -> Tensor:
        """What is remembered after another look at the rendering: maps of [n, width, height_2, width_2]."""
        signals = compare(images, stacked, cameras, unit)
        seen = torch.cat([images * 2 - 1, stacked, signals], dim=2).flatten(0, 1).to(memory.dtype)
        return self.body(self.enter(torch.cat([pixel_unshuffle(seen, 2), memory], dim=1)))

    def _change(self, memory: Tensor, views: int) -> Float[Tensor, "batch views maps height width"]:
        change = pixel_shuffle(self.head(memory).float(), 2).unflatten(0, (-1, views))
        return torch.cat([STEP_OF_DEPTH * change[:, :, :1], change[:, :, 1:]], dim=2)


@full_precision
def compare(
    images: Float[Tensor, "batch views 3 height width"],
    stacked: Float[Tensor, "batch views maps height width"],
    cameras: PosedCameras,
    unit: Float[Tensor, " batch"],
) -> Float[Tensor, "batch views signals height width"]:
    """What the renderings of all views say about every pixel, as numbers of about one; nothing flows back through it.

    Pixels beyond the bounds of their image have no Gaussian, and nothing is wrong there.

    Returns:
        Rendered minus photographed colour; opacity; how far what is rendered lies in front of the pixel's own depth,
        in its logarithm; and the gradient of half the squared error of all views by the pixel's maps, each channel in
        units of its root mean square over the scene, the tails drawn in by sign(x) log(1 + |x|).
    """
    with torch.inference_mode(False), torch.enable_grad():
        images, unit = images.detach().clone(), unit.detach().clone()
        cameras = PosedCameras(*(tensor.detach().clone() for tensor in cameras))
        leaf = stacked.detach().clone().requires_grad_()
        depth = leaf[:, :, 0].exp() * unit[:, None, None, None]
        gaussians = gaussians_from_maps(images, depth, leaf[:, :, 1:], cameras)
        masks = cameras.masks(*images.shape[-2:])
        gaussians = gaussians._replace(opacities=gaussians.opacities * masks.flatten(1))
        scenes = [
            _compare_scene(gaussians.scene(i), images[i], masks[i], cameras.cam_from_world[i], cameras.K[i])
            for i in range(len(images))
        ]
        gradients = [torch.stack(field) for field in zip(*(scene.gradients for scene in scenes), strict=True)]
        (gradient,) = torch.autograd.grad(list(gaussians), leaf, gradients)
    error, alpha, z = torch.stack([scene.seen for scene in scenes]).split([3, 1, 1], dim=2)
    size = gradient.square().mean((1, 3, 4), keepdim=True).sqrt().clamp(min=1e-12)
    before = (depth.detach()[:, :, None].log() - z.clamp(min=1e-6).log()).clamp(-LARGEST, LARGEST) * alpha
    shown = masks[:, :, None]
    alpha, before = torch.where(shown, alpha, 1.0), before * shown
    drawn_in = gradient.sign() * (gradient.abs() / size).log1p()
    return torch.cat([2 * error, alpha, 4 * before, drawn_in], dim=2)


class SceneComparison(NamedTuple):
    """Of one scene: error of colour, opacity and depth in every view; gradients by all fields of its Gaussians."""

    seen: Float[Tensor, "views 5 height width"]
    gradients: list[Tensor]


def _compare_scene(
    scene: Gaussians,
    images: Float[Tensor, "views 3 height width"],
    masks: Bool[Tensor, "views height width"],
    cam_from_world: Float[Tensor, "views 4 4"],
    K: Float[Tensor, "views 3 3"],
) -> SceneComparison:
    """One view after another, for what a rendering keeps for its gradient grows with the number of its cameras."""
    rasterizer, (height, width) = get_rasterizer("auto", images.device), images.shape[-2:]
    fields = [field.detach().requires_grad_() for field in (scene.means, scene.scales, scene.quats)]
    fields += [scene.opacities.detach().requires_grad_(), scene.sh.detach().requires_grad_()]
    means, scales, quats, opacities, sh = fields
    background = images.permute(0, 2, 3, 1)[masks].mean(0)[None]
    gradients, seen = [torch.zeros_like(field) for field in fields], []
    for view, image in enumerate(images.permute(0, 2, 3, 1)):
        rendering = rasterizer(
            *(means, quats, scales, opacities, sh, cam_from_world[view, None], K[view, None], width, height),
            sh_degree=0,
            backgrounds=background,
            depth=True,
        )
        error = (rendering.color[0] - image) * masks[view, :, :, None]
        of_view = torch.autograd.grad(0.5 * error.square().sum(), fields)
        for total, part in zip(gradients, of_view, strict=True):
            total += part
        seen.append(torch.cat([error, rendering.alpha[0], cast(Tensor, rendering.depth)[0]], dim=-1).detach())
    return SceneComparison(torch.stack(seen).permute(0, 3, 1, 2), gradients)
