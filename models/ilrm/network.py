"""The published iLRM (arXiv 2507.23277): viewpoint tokens become one Gaussian per viewpoint pixel.

    images, cameras -> image tokens (fixed) and viewpoint tokens (rays)
                    -> update layers: read own image, share with all views
                    -> head: 14 or 16 numbers per viewpoint pixel -> Gaussians

Cameras enter already normalised (`recon.geometry.normalise`). Positions are decoded outside autocast.
"""

from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from models.ilrm.config import ILRMConfig
from models.ilrm.gaussian_batch import GaussianBatch
from models.ilrm.groups import group_ids
from models.ilrm.processor import Processor, init_normal
from models.layers.heads import make_head
from models.layers.heads.residual_mlp import ResidualMLP
from models.layers.patches import patchify, unpatchify
from models.layers.precision import at_least_float32, full_precision
from recon.geometry.projection import pixel_grid, scale_intrinsics
from recon.geometry.rays import camera_rays, pluecker_rays, ray_directions

MAX_DISTANCE = 500.0
LOG_SCALE_OFFSET = -6.9
LOG_SCALE_MAX = -1.2
OPACITY_OFFSET = -2.0


class ILRMTokens(NamedTuple):
    """Inputs of the processor.

    Attributes:
        viewpoint_patches: Ray channels of each viewpoint patch, order (row, column, channel).
        image_patches: Colour and ray channels of each image patch, same order.
        viewpoint: Embedded viewpoint patches.
        image: Embedded image patches.
    """

    viewpoint_patches: Float[Tensor, "batch views viewpoint_tokens viewpoint_channels"]
    image_patches: Float[Tensor, "batch views image_tokens image_channels"]
    viewpoint: Float[Tensor, "batch views viewpoint_tokens dim"]
    image: Float[Tensor, "batch views image_tokens dim"]


class HeadMaps(NamedTuple):
    """What the head says about each viewpoint pixel, channels last.

    Attributes:
        pixel_offset: Raw shift of the ray inside the pixel; 0 or 2 channels.
        depth: Three raw numbers whose mean is the logit of the ray distance.
        colour: Degree-0 SH coefficients.
        log_scale: Log of the standard deviations.
        quat: Unnormalised quaternion, w first.
        opacity: Logit.
    """

    pixel_offset: Float[Tensor, "batch views height width offsets"]
    depth: Float[Tensor, "batch views height width 3"]
    colour: Float[Tensor, "batch views height width 3"]
    log_scale: Float[Tensor, "batch views height width 3"]
    quat: Float[Tensor, "batch views height width 4"]
    opacity: Float[Tensor, "batch views height width 1"]


class ILRM(nn.Module):
    """The network; parameter names are one to one with the published ones (see `state_dict`).

    Args:
        config: Sizes and variant.
    """

    def __init__(self, config: ILRMConfig):
        super().__init__()
        self.config = config
        area = config.patch**2
        self.viewpoint_tokenizer = _tokenizer(config.ray_channels * area, config.dim)
        self.image_tokenizer = _tokenizer((config.ray_channels + 3) * area, config.dim)
        self.processor = Processor(
            *(config.dim, config.head_dim, config.num_layers, config.uplift, config.block),
            checkpointing=config.checkpointing,
        )
        self.token_decoder = nn.Sequential(
            nn.LayerNorm(config.dim, bias=False), make_head(config.head, config.dim, config.gaussian_channels * area)
        )
        init_normal(self)
        for part in self.token_decoder:
            if isinstance(part, ResidualMLP):
                part.start_linear()

    def forward(
        self,
        images: Float[Tensor, "batch views 3 height width"],
        world_from_cam: Float[Tensor, "batch views 4 4"],
        K: Float[Tensor, "batch views 3 3"],
    ) -> GaussianBatch:
        """Gaussians in the frame of the (normalised) cameras.

        Args:
            images: sRGB 0..1; sides are multiples of patch * viewpoint_factor.
            world_from_cam: Camera-to-world, OpenCV axes.
            K: Intrinsics in pixels.
        """
        tokens = self.tokenise(images, world_from_cam, K)
        side = self.config.patch * self.config.viewpoint_factor
        grid = (images.shape[-2] // side, images.shape[-1] // side)
        groups = group_ids(self.config.block, grid, world_from_cam, K, side)
        raw = self.token_decoder(self.processor(tokens.viewpoint, tokens.image, grid=grid, group_ids=groups))
        return self.decode(raw, world_from_cam, K, images.shape[-2:])

    @full_precision
    def rays(self, world_from_cam: Tensor, K: Tensor, height: int, width: int) -> Tensor:
        """Ray channels of every pixel, channels last."""
        origin, direction = camera_rays(world_from_cam, K, height, width)
        pluecker = pluecker_rays(origin, direction)
        if self.config.rays == "pluecker":
            return pluecker
        moment, direction = pluecker.split(3, dim=-1)
        return torch.cat([origin[..., None, None, :].expand_as(direction), direction, moment], dim=-1)

    def tokenise(self, images: Tensor, world_from_cam: Tensor, K: Tensor) -> ILRMTokens:
        """Image and viewpoint tokens."""
        height, width = images.shape[-2:]
        factor, patch = self.config.viewpoint_factor, self.config.patch
        colour = rearrange(images * 2 - 1, "b v c h w -> b v h w c")
        rays = self.rays(world_from_cam, K, height, width)
        pixels = [colour, rays] if self.config.rays == "pluecker" else [rays, colour]
        image_patches = patchify(torch.cat(pixels, dim=-1), patch)
        low_K = scale_intrinsics(K, 1 / factor, 1 / factor)
        viewpoint_patches = patchify(self.rays(world_from_cam, low_K, height // factor, width // factor), patch)
        return ILRMTokens(
            viewpoint_patches,
            image_patches,
            self.viewpoint_tokenizer(viewpoint_patches),
            self.image_tokenizer(image_patches),
        )

    @full_precision
    def decode(
        self, raw: Tensor, world_from_cam: Tensor, K: Tensor, size: torch.Size | tuple[int, int]
    ) -> GaussianBatch:
        """Gaussians from the head's output (activations of iLRM section 3.4, after GS-LRM).

        Args:
            raw: Output of `token_decoder`, batch views tokens (patch^2 * gaussian_channels).
            world_from_cam: Camera-to-world.
            K: Intrinsics in pixels of the full image.
            size: Height and width of the full image.
        """
        factor = self.config.viewpoint_factor
        offset, depth, colour, log_scale, quat, opacity = self.head_maps(raw, size)
        pixels = pixel_grid(*depth.shape[2:4], device=raw.device).to(K.dtype)
        if self.config.pixel_offset:
            pixels = pixels + offset.sigmoid() - 0.5
        directions = ray_directions(pixels, world_from_cam, scale_intrinsics(K, 1 / factor, 1 / factor))
        distance = MAX_DISTANCE * depth.mean(-1, keepdim=True).sigmoid()
        means = world_from_cam[..., None, None, :3, 3] + distance * directions
        flat = "b v h w c -> b (v h w) c"
        return GaussianBatch(
            means=rearrange(means, flat),
            scales=rearrange(log_scale.exp(), flat),
            quats=nn.functional.normalize(rearrange(quat, flat), dim=-1),
            opacities=rearrange(opacity.sigmoid(), "b v h w 1 -> b (v h w)"),
            sh=rearrange(colour, "b v h w c -> b (v h w) 1 c"),
        )

    def head_maps(self, raw: Tensor, size: torch.Size | tuple[int, int]) -> HeadMaps:
        """The head's output as maps, with its constant offsets.

        Args:
            raw: As in `decode`.
            size: Height and width of the full image.
        """
        factor = self.config.viewpoint_factor
        maps = unpatchify(at_least_float32(raw), self.config.patch, size[0] // factor, size[1] // factor)
        channels = [self.config.gaussian_channels - 14, 3, 3, 3, 4, 1]
        offset, depth, colour, scale, quat, opacity = maps.split(channels, dim=-1)
        log_scale = (scale + LOG_SCALE_OFFSET).clamp(max=LOG_SCALE_MAX)
        return HeadMaps(offset, depth, colour, log_scale, quat, opacity + OPACITY_OFFSET)


def _tokenizer(in_channels: int, dim: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(in_channels, dim, bias=False), nn.LayerNorm(dim, bias=False))
