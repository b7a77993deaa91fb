"""The two kinds of scenes that the rasteriser is timed on."""

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from recon.geometry.se3 import quat_from_rotation

SceneKind = Literal["volume", "surface"]
_INPUT_VIEWS = 4


class BenchmarkScene(NamedTuple):
    """Leading arguments of a rasteriser; one camera at the origin that looks along z."""

    means: Tensor
    quats: Tensor
    scales: Tensor
    opacities: Tensor
    colors: Tensor
    viewmats: Tensor
    Ks: Tensor


def make_scene(kind: SceneKind, num: int, size_px: int, generator: torch.Generator) -> BenchmarkScene:
    """A scene of `num` Gaussians for a square image.

    "volume": uniform over the image, log-uniform depth 2 to 10, axes of 1 to 3 pixels: deep overdraw.
    "surface": what a feed-forward network emits, one Gaussian per pixel of four input views of a wavy surface, 0.5 to
    0.9 input pixels wide and flat along the normal; its size in pixels grows with that of the image.
    """
    means, quats, scales, opacities = {"volume": _volume, "surface": _surface}[kind](num, size_px, generator)
    K = torch.tensor([[size_px, 0, size_px / 2], [0, size_px, size_px / 2], [0, 0, 1]])
    colors = torch.rand(len(means), 3, generator=generator)
    return BenchmarkScene(means, quats, scales, opacities, colors, torch.eye(4)[None], K[None])


def _volume(num: int, size_px: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    slopes = torch.rand(num, 2, generator=generator) - 0.5
    depth = 2 * torch.exp(torch.rand(num, 1, generator=generator) * math.log(5))
    scales = (1 + 2 * torch.rand(num, 3, generator=generator)) * depth / size_px
    opacities = torch.sigmoid(1.5 * torch.randn(num, generator=generator))
    return torch.cat([slopes * depth, depth], dim=1), torch.randn(num, 4, generator=generator), scales, opacities


def _surface(num: int, size_px: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    side = round(math.sqrt(num / _INPUT_VIEWS))
    center = (torch.arange(side) + 0.5) / side - 0.5
    slopes = torch.stack(torch.meshgrid(center, center, indexing="xy"), dim=-1).reshape(-1, 2)
    views = []
    for x, y in ((-0.3, -0.2), (0.3, -0.2), (-0.3, 0.2), (0.3, 0.2)):
        eye = torch.tensor([x, y])
        depth = torch.full((len(slopes), 1), 4.0)
        for _ in range(12):  # fixed point of depth = height(eye + slopes depth); the waves are gentle
            depth = _height(eye + slopes * depth)
        views.append(torch.cat([eye + slopes * depth, depth], dim=1))
    means = torch.cat(views)
    spacing = means[:, 2:] / side
    scales = (0.5 + 0.4 * torch.rand(len(means), 3, generator=generator)) * spacing
    scales[:, 2] *= 0.1
    opacities = torch.sigmoid(1 + 1.5 * torch.randn(len(means), generator=generator))
    return means, quat_from_rotation(_frames(means)), scales, opacities


def _height(xy: Tensor) -> Tensor:
    return 4 + 0.4 * torch.sin(2 * xy[:, :1]) * torch.cos(1.5 * xy[:, 1:])


def _frames(means: Tensor) -> Tensor:
    """Rotations whose third axis is the normal of the surface."""
    x, y = means[:, 0], means[:, 1]
    slope_x = 0.8 * torch.cos(2 * x) * torch.cos(1.5 * y)
    slope_y = -0.6 * torch.sin(2 * x) * torch.sin(1.5 * y)
    normal = torch.nn.functional.normalize(torch.stack([slope_x, slope_y, -torch.ones_like(x)], dim=1), dim=1)
    along = torch.stack([torch.ones_like(x), torch.zeros_like(x), slope_x], dim=1)
    along = torch.nn.functional.normalize(along, dim=1)
    return torch.stack([along, torch.linalg.cross(normal, along), normal], dim=2)
