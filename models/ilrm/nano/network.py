"""iLRM-nano: plane-sweep matching, iLRM update layers, local sweeps, one Gaussian per pixel.

    images, cameras
      -> features at 1/2, 1/4 and 1/8
      -> coarse sweep at 1/8 over all depths        which depth agrees with the other views?
      -> viewpoint tokens (2x2 cells of that map)   iLRM: read own image, share with all views, repeated
      -> depth at 1/8 (softmax over planes)
      -> local sweeps at 1/4 and 1/2 around that depth, ever finer; before the last: do the views agree?
      -> depth at full size (convex upsampling), colour residual, scale, rotation, opacity per pixel
      -> feedback, where the config has passes of it: render, compare with the photographs, correct

The published iLRM regresses depth from tokens alone, which takes a large model; matching gives a small one its
geometry. Everything is expressed in the reference length (largest distance between a view and its sources), so the
result does not depend on the unit of the poses.
"""

import math
from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from models.ilrm.gaussian_batch import GaussianBatch
from models.ilrm.groups import group_ids
from models.ilrm.nano.config import NanoConfig
from models.ilrm.nano.consistency import NUM_CHANNELS, consistency
from models.ilrm.nano.decoder import NUM_ATTRIBUTES, convex_upsample, gaussians_from_maps
from models.ilrm.nano.features import FeaturePyramid, Pyramid, ResidualBlock, conv, small_conv
from models.ilrm.nano.feedback import Feedback, Maps
from models.ilrm.nano.stage import DepthStage, StageDepth, enlarge, expectation
from models.ilrm.nano.sweep import (
    PosedCameras,
    SweepGeometry,
    choose_sources,
    reference_length,
    sweep,
    whole_images,
)
from models.ilrm.processor import Processor, init_normal
from models.layers.patches import patchify, unpatchify
from models.layers.precision import full_precision
from recon.geometry.normalise import normalise_cameras, reference_camera
from recon.geometry.projection import scale_intrinsics
from recon.geometry.rays import camera_rays, pluecker_rays
from recon.geometry.se3 import invert_rigid

IMAGE_PATCH = 8


class NanoOutput(NamedTuple):
    """Gaussians, and the depth estimates of each stage for supervision (log of depth in reference lengths).

    `stages` are those at 1/4 and 1/2, whose n is batch times views.
    """

    gaussians: GaussianBatch
    coarse_logits: Float[Tensor, "batch views planes height_8 width_8"]
    coarse_log_depth: Float[Tensor, "batch views height_8 width_8"]
    stages: tuple[StageDepth, StageDepth]
    log_depth: Float[Tensor, "batch views height width"]
    unit: Float[Tensor, " batch"]


class NanoILRM(nn.Module):
    """The network; see the module's docstring.

    Args:
        config: Sizes.
    """

    coarse_log_planes: Tensor

    def __init__(self, config: NanoConfig):
        super().__init__()
        self.config = config
        half = config.feature_dim // 2
        width = config.feature_dim + half
        finest_width = -(-width // 16) * 8
        self.features = FeaturePyramid(config.feature_dim)
        self.match_coarse = conv(config.feature_dim, config.match_dim, 1)
        self.match_scale = nn.Parameter(torch.tensor(10.0))
        self.coarse_in = nn.Sequential(
            conv(3 * config.coarse_planes + config.feature_dim + 6, width, 1), ResidualBlock(width)
        )
        self.viewpoint_tokenizer = nn.Sequential(
            nn.Linear(4 * width, config.dim, bias=False), nn.LayerNorm(config.dim, bias=False)
        )
        self.image_tokenizer = nn.Sequential(
            nn.Linear(9 * IMAGE_PATCH**2, config.dim, bias=False), nn.LayerNorm(config.dim, bias=False)
        )
        self.processor = Processor(config.dim, config.head_dim, config.num_layers, block=config.block)
        self.token_decoder = nn.Sequential(
            nn.LayerNorm(config.dim, bias=False), nn.Linear(config.dim, 4 * width, bias=False)
        )
        self.coarse_out = nn.Sequential(ResidualBlock(width), ResidualBlock(width))
        self.coarse_head = small_conv(width, config.coarse_planes + 9 * 4)
        self.fine = DepthStage(
            *(config.feature_dim, config.feature_dim, width, width),
            match_dim=config.match_dim,
            num_planes=config.fine_planes,
            reach=config.fine_range,
            num_blocks=3,
        )
        self.to_finest = nn.Sequential(conv(width, 4 * half, 1), nn.PixelShuffle(2))
        self.finest = DepthStage(
            *(half, config.feature_dim, half + NUM_CHANNELS, finest_width),
            match_dim=-(-config.match_dim // 2),
            num_planes=config.finest_planes,
            reach=config.finest_range,
            num_blocks=1,
        )
        self.attribute_head = nn.Sequential(nn.GELU(), small_conv(finest_width, 4 * NUM_ATTRIBUTES), nn.PixelShuffle(2))
        self.feedback = Feedback(config.feedback, finest_width) if config.feedback.passes else None
        for linears in (self.viewpoint_tokenizer, self.image_tokenizer, self.processor, self.token_decoder):
            init_normal(linears)
        planes = torch.linspace(math.log(config.nearest), math.log(config.farthest), config.coarse_planes)
        self.register_buffer("coarse_log_planes", planes, persistent=False)

    def forward(
        self,
        images: Float[Tensor, "batch views 3 height width"],
        cam_from_world: Float[Tensor, "batch views 4 4"],
        K: Float[Tensor, "batch views 3 3"],
        unit: Float[Tensor, " batch"] | None = None,
        bounds: Float[Tensor, "batch views 4"] | None = None,
    ) -> NanoOutput:
        """Gaussians in the frame and scale of the cameras.

        Args:
            images: sRGB 0..1; sides are multiples of 16.
            cam_from_world: World-to-camera, OpenCV axes; at least two views.
            K: Intrinsics in pixels.
            unit: Length that the depth range is measured in; `default_unit` if not given.
            bounds: Left, top, right, bottom of what each image shows, in pixels; all of it if not given. What lies
                beyond is matched with nothing and does not count in renderings; its Gaussians are to be dropped.
        """
        cameras = PosedCameras(cam_from_world, K, whole_images(images) if bounds is None else bounds)
        sources = choose_sources(cam_from_world, self.config.num_sources)
        unit = self.default_unit(cam_from_world) if unit is None else unit
        geometry = SweepGeometry(cameras, sources, unit)
        views = images.shape[1]
        pyramid = self.features(rearrange(images, "b v c h w -> (b v) c h w"))

        coarse_map, coarse_stats = self._coarse_map(pyramid.eighth, geometry)
        coarse_map = self._update(coarse_map, images, cameras)
        out = self.coarse_head(coarse_map).float()
        logits = out[:, : self.config.coarse_planes] + self.match_scale * coarse_stats
        coarse_log_depth = expectation(logits, self.coarse_log_planes)
        upsampled = convex_upsample(coarse_log_depth[:, None], out[:, self.config.coarse_planes :], 2)

        stages, maps, context = self._refine(images, pyramid, coarse_map, upsampled, geometry)
        if self.feedback is not None:
            maps = self.feedback(images, maps, context, cameras, unit)
        depth = maps.log_depth.exp() * unit[:, None, None, None]
        return NanoOutput(
            gaussians=gaussians_from_maps(images, depth, maps.attributes, cameras),
            coarse_logits=logits.unflatten(0, (-1, views)),
            coarse_log_depth=coarse_log_depth.unflatten(0, (-1, views)),
            stages=stages,
            log_depth=maps.log_depth,
            unit=unit,
        )

    def default_unit(self, cam_from_world: Float[Tensor, "batch views 4 4"]) -> Float[Tensor, " batch"]:
        """The reference length of the cameras with the sources that the network chooses."""
        return reference_length(cam_from_world, choose_sources(cam_from_world, self.config.num_sources))

    def _coarse_map(self, eighth: Tensor, geometry: SweepGeometry) -> tuple[Tensor, Tensor]:
        """Map at 1/8 that the tokens are made of, and the mean matching score of every plane."""
        views = geometry.sources.shape[1]
        height, width = eighth.shape[-2:]
        depth = self.coarse_log_planes.exp() * geometry.unit[:, None]
        depth = depth[:, None, :, None, None].expand(-1, views, -1, height, width)
        match = self.match_coarse(eighth).unflatten(0, (-1, views))
        stats = sweep(match, geometry.cameras, geometry.sources, depth, stride=8).flatten(0, 1)
        rays = rearrange(_normalised_rays(geometry.cameras, height, width, 8), "b v h w c -> (b v) c h w")
        return self.coarse_in(torch.cat([stats.flatten(1, 2), eighth, rays], dim=1)), stats[:, 0]

    def _update(self, coarse_map: Tensor, images: Tensor, cameras: PosedCameras) -> Tensor:
        """The iLRM part: tokens read their images and share with all views."""
        views, _, height, width = images.shape[1:]
        tokens = self.viewpoint_tokenizer(patchify(rearrange(coarse_map, "n c h w -> n h w c"), 2))
        rays = _normalised_rays(cameras, height, width, 1)
        pixels = torch.cat([rearrange(images * 2 - 1, "b v c h w -> b v h w c"), rays], dim=-1)
        memory = self.image_tokenizer(patchify(pixels, IMAGE_PATCH))
        grid = (coarse_map.shape[-2] // 2, coarse_map.shape[-1] // 2)
        groups = group_ids(self.config.block, grid, _normalised_poses(cameras), cameras.K, 2 * 8)
        tokens = self.processor(tokens.unflatten(0, (-1, views)), memory, grid=grid, group_ids=groups)
        update = unpatchify(self.token_decoder(tokens).flatten(0, 1), 2, *coarse_map.shape[-2:])
        return self.coarse_out(coarse_map + rearrange(update, "n h w c -> n c h w"))

    def _refine(
        self, images: Tensor, pyramid: Pyramid, coarse_map: Tensor, log_depth: Tensor, geometry: SweepGeometry
    ) -> tuple[tuple[StageDepth, StageDepth], Maps, Tensor]:
        """Depth of the local stages, depth and attributes of every pixel, and the maps at 1/2 they come from."""
        fine = self.fine(pyramid.quarter, pyramid.eighth, enlarge(coarse_map), log_depth, geometry, stride=4)
        agreement = consistency(images, fine.enlarged, geometry, stride=2)
        context = torch.cat([self.to_finest(fine.context), agreement], dim=1)
        finest = self.finest(pyramid.half, pyramid.quarter, context, fine.enlarged, geometry, stride=2)
        views = images.shape[1]
        log_depth, attributes = (
            maps.unflatten(0, (-1, views)) for maps in (finest.enlarged[:, 0], self.attribute_head(finest.context))
        )
        return (fine.depth, finest.depth), Maps(log_depth, attributes), finest.context


@full_precision
def _normalised_rays(cameras: PosedCameras, height: int, width: int, stride: int) -> Tensor:
    """Pluecker rays of maps with the given stride, in the normalised world of each scene."""
    origin, direction = camera_rays(
        _normalised_poses(cameras), scale_intrinsics(cameras.K, 1 / stride, 1 / stride), height, width
    )
    return pluecker_rays(origin, direction)


def _normalised_poses(cameras: PosedCameras) -> Tensor:
    """Camera-to-world in the normalised world of each scene."""
    world_from_cam = invert_rigid(cameras.cam_from_world)
    return torch.stack([normalise_cameras(poses, origin=reference_camera).apply(poses) for poses in world_from_cam])
