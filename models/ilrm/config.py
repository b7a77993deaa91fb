"""Sizes and variants of the published iLRM networks."""

from dataclasses import dataclass, field
from typing import Literal

from models.layers.config import BlockConfig
from recon.geometry.normalise import ScaleFrom


@dataclass(frozen=True)
class ILRMConfig:
    """One config for both published releases; the defaults are the RealEstate10K two-view one.

    Attributes:
        dim: Token width.
        head_dim: Width of one attention head.
        num_layers: Update layers; each is a read block and a share block.
        patch: Side of a patch in pixels, for image and viewpoint tokens alike.
        viewpoint_factor: Image side over side of the viewpoint grid: 1 full, 2 half, 4 quarter resolution.
        uplift: Sub-queries of each viewpoint token when it reads its image.
        rays: Ray channels: "pluecker" = moment, direction (6); "origin" = origin, direction, moment (9).
        pixel_offset: The head also moves each Gaussian's ray inside its pixel.
        scale_from: Camera normalisation that the weights were trained with.
        checkpointing: Recompute activations in the backward pass.
        head: Name in `models.layers.heads.HEADS` of what maps tokens to Gaussians; the default is as published.
        block: What the update layers are made of; the default is as published.
    """

    dim: int = 768
    head_dim: int = 64
    num_layers: int = 12
    patch: int = 8
    viewpoint_factor: int = 1
    uplift: int = 1
    rays: Literal["pluecker", "origin"] = "pluecker"
    pixel_offset: bool = False
    scale_from: ScaleFrom = "raw"
    checkpointing: bool = False
    head: Literal["linear", "residual_mlp", "fourier"] = "linear"
    block: BlockConfig = field(default_factory=BlockConfig)

    @property
    def ray_channels(self) -> int:
        """Channels of the ray encoding."""
        return 6 if self.rays == "pluecker" else 9

    @property
    def gaussian_channels(self) -> int:
        """Channels that the head emits per Gaussian."""
        return 16 if self.pixel_offset else 14


RE10K_2VIEW = ILRMConfig()
"""(2, F, F): 171 M parameters, RealEstate10K 256 x 256."""

DL3DV_WIDE = ILRMConfig(viewpoint_factor=2, uplift=2, rays="origin", pixel_offset=True, scale_from="centred")
"""(16/32, H, F): 186 M parameters, DL3DV 540 x 960."""
