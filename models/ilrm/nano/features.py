"""Convolutional features at 1/2, 1/4 and 1/8 of the image side."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu


def conv(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    """Convolution that keeps the size, up to the stride."""
    return nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2)


def small_conv(in_channels: int, out_channels: int) -> nn.Conv2d:
    """1x1 convolution that starts near zero, for heads whose output is a change of something good."""
    head = nn.Conv2d(in_channels, out_channels, 1)
    nn.init.normal_(head.weight, std=0.01)
    if head.bias is not None:
        nn.init.zeros_(head.bias)
    return head


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a normed skip."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.conv1 = conv(channels, channels)
        self.conv2 = conv(channels, channels)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Float[Tensor, "n channels height width"]) -> Float[Tensor, "n channels height width"]:
        """Add the update to x."""
        return x + self.conv2(gelu(self.conv1(self.norm(x))))


class Pyramid(NamedTuple):
    """Feature maps of n images; the half-size map has half the channels of the others."""

    half: Float[Tensor, "n half_channels height_2 width_2"]
    quarter: Float[Tensor, "n channels height_4 width_4"]
    eighth: Float[Tensor, "n channels height_8 width_8"]


class FeaturePyramid(nn.Module):
    """Image to feature maps; the same weights for every view.

    Args:
        dim: Channels at 1/4 and 1/8; half as many at 1/2.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.to_half = nn.Sequential(conv(3, dim // 2, 5, 2), nn.GELU(), ResidualBlock(dim // 2))
        self.to_quarter = nn.Sequential(conv(dim // 2, dim, 3, 2), ResidualBlock(dim), ResidualBlock(dim))
        self.to_eighth = nn.Sequential(conv(dim, dim, 3, 2), ResidualBlock(dim), ResidualBlock(dim))

    def forward(self, images: Float[Tensor, "n 3 height width"]) -> Pyramid:
        """Features of images in 0..1."""
        half = self.to_half(images * 2 - 1)
        quarter = self.to_quarter(half)
        return Pyramid(half, quarter, self.to_eighth(quarter))
