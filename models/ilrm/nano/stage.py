"""One local stage of the depth cascade: look around the depth so far, refine it, enlarge it (Gu et al. 2020).

1. Hypotheses are the depth so far plus fixed offsets of its logarithm.
2. The features of each view are matched with those of its sources at every hypothesis.
3. Convolutions read matching, features and context; a softmax over the offsets gives the depth at this size.
4. A learned convex mix of neighbours gives the depth at twice the size.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from models.ilrm.nano.decoder import convex_upsample
from models.ilrm.nano.features import ResidualBlock, conv, small_conv
from models.ilrm.nano.sweep import SweepGeometry, sweep


class StageDepth(NamedTuple):
    """What a stage says about depth: log of depth in reference lengths, n = batch times views.

    Attributes:
        centre: The depth that it looked around.
        logits: Of the distribution over its offsets from there.
        log_depth: Its own estimate.
    """

    centre: Float[Tensor, "n height width"]
    logits: Float[Tensor, "n planes height width"]
    log_depth: Float[Tensor, "n height width"]


class StageOutput(NamedTuple):
    """Depth, the map that it was read from, and the depth at twice the size."""

    depth: StageDepth
    context: Float[Tensor, "n width height width_px"]
    enlarged: Float[Tensor, "n 1 height_2 width_2"]


class DepthStage(nn.Module):
    """A stage at one resolution.

    Args:
        feature_dim: Channels of the features at this resolution.
        above_dim: Channels of the features at half of it, which tell alike places apart.
        context_dim: Channels of the map that comes from the stage before.
        width: Channels inside.
        match_dim: Channels that are correlated between views.
        num_planes: Offsets that are tried.
        reach: Largest offset in natural log of depth.
        num_blocks: Residual blocks.
    """

    offsets: Tensor

    def __init__(
        self,
        feature_dim: int,
        above_dim: int,
        context_dim: int,
        width: int,
        *,
        match_dim: int,
        num_planes: int,
        reach: float,
        num_blocks: int,
    ):
        super().__init__()
        self.num_planes = num_planes
        self.match = conv(feature_dim, match_dim, 1)
        self.match_above = conv(above_dim, match_dim, 1)
        self.match_scale = nn.Parameter(torch.tensor(10.0))
        self.enter = conv(context_dim + feature_dim + 3 * num_planes + 1, width)
        self.body = nn.Sequential(*(ResidualBlock(width) for _ in range(num_blocks)))
        self.head = small_conv(width, num_planes + 9 * 4)
        self.register_buffer("offsets", torch.linspace(-reach, reach, num_planes), persistent=False)

    def forward(
        self,
        features: Float[Tensor, "n feature_dim height width"],
        above: Float[Tensor, "n above_dim height_above width_above"],
        context: Float[Tensor, "n context_dim height width"],
        log_depth: Float[Tensor, "n 1 height width"],
        geometry: SweepGeometry,
        stride: int,
    ) -> StageOutput:
        """Refine `log_depth`; `stride` is full image pixels per pixel of these maps."""
        views = geometry.sources.shape[1]
        hypotheses = (log_depth.detach() + self.offsets[:, None, None]).unflatten(0, (-1, views))
        depth = hypotheses.exp() * geometry.unit[:, None, None, None, None]
        match = self.match(features) + enlarge(self.match_above(above))
        stats = sweep(match.unflatten(0, (-1, views)), geometry.cameras, geometry.sources, depth, stride).flatten(0, 1)
        context = self.body(self.enter(torch.cat([context, features, stats.flatten(1, 2), log_depth], dim=1)))
        logits, mix = self.head(context).float().split([self.num_planes, 9 * 4], dim=1)
        logits = logits + self.match_scale * stats[:, 0]
        refined = log_depth + expectation(logits, self.offsets)[:, None]
        return StageOutput(
            StageDepth(log_depth[:, 0].detach(), logits, refined[:, 0]), context, convex_upsample(refined, mix, 2)
        )


def expectation(
    logits: Float[Tensor, "n planes height width"], values: Float[Tensor, " planes"]
) -> Float[Tensor, "n height width"]:
    """Mean of `values` under the softmax over planes (soft argmax; Kendall et al. 2017)."""
    return (logits.softmax(1) * values[:, None, None]).sum(1)


def enlarge(x: Float[Tensor, "n channels height width"]) -> Float[Tensor, "n channels height_2 width_2"]:
    """Twice the size, bilinearly."""
    return interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
