"""Sizes of iLRM-nano."""

from dataclasses import dataclass, field

from models.layers.config import AttentionConfig, BlockConfig, FeedForwardConfig


@dataclass(frozen=True)
class FeedbackConfig:
    """Corrections of the Gaussians by what they show (`models.ilrm.nano.feedback`).

    Attributes:
        passes: How often they are rendered and corrected; 0 for networks without that part.
        width: Channels inside.
        blocks: Residual blocks.
    """

    passes: int = 3
    width: int = 64
    blocks: int = 2


def _cheapest_block() -> BlockConfig:
    """Of those that are not seen to learn less (docs/blocks.md)."""
    return BlockConfig(attention=AttentionConfig(kind="inception"), feed_forward=FeedForwardConfig(ratio=1.25))


@dataclass(frozen=True)
class NanoConfig:
    """Sizes of the network and of its plane sweep.

    Attributes:
        dim: Token width.
        head_dim: Width of one attention head.
        num_layers: Update layers (read, then share).
        feature_dim: Channels of the convolutional features at 1/4 and 1/8 resolution.
        match_dim: Channels of the features that are correlated between views.
        num_sources: Views that each view is matched with, at most.
        coarse_planes: Depth planes of the full sweep at 1/8 resolution.
        fine_planes: Depth planes of the local sweep at 1/4 resolution.
        nearest: Nearest plane in units of the reference length (largest distance between a view and its sources).
        farthest: Farthest plane in the same unit.
        fine_range: Half width of the local sweep at 1/4 in natural log of depth.
        finest_planes: Depth planes of the local sweep at 1/2 resolution.
        finest_range: Half width of that sweep.
        block: What the update layers are made of.
        feedback: Corrections of the Gaussians by what they show.
    """

    dim: int = 128
    head_dim: int = 32
    num_layers: int = 2
    feature_dim: int = 64
    match_dim: int = 32
    num_sources: int = 3
    coarse_planes: int = 64
    fine_planes: int = 16
    nearest: float = 0.4
    farthest: float = 64.0
    fine_range: float = 0.25
    finest_planes: int = 12
    finest_range: float = 0.1
    block: BlockConfig = field(default_factory=_cheapest_block)
    feedback: FeedbackConfig = field(default_factory=FeedbackConfig)
