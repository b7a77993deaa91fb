"""Choosing a rasteriser, and rendering the project's types with it."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import GeometryError
from recon.render.protocol import GSPLAT_DEFAULTS, RasterConfig, Rasterizer, Rendering
from recon.types import Cameras, Gaussians

RasterizerName = Literal["auto", "cpu"]


def get_rasterizer(name: RasterizerName = "auto", device: torch.device | str = "cpu") -> Rasterizer:
    """The rasteriser of that name; "auto" takes the fastest one for tensors on `device`."""
    from recon.render.cpu.backend import CpuRasterizer

    return CpuRasterizer()


def render(
    gaussians: Gaussians,
    cameras: Cameras,
    *,
    background: Float[Tensor, "3"] | None = None,
    depth: bool = False,
    rasterizer: Rasterizer | None = None,
    config: RasterConfig = GSPLAT_DEFAULTS,
) -> Rendering:
    """Render Gaussians into all cameras.

    Args:
        gaussians: What is rendered.
        cameras: All of one size.
        background: Colour behind everything; None is black.
        depth: Whether to render expected depth too.
        rasterizer: By default the one for the device of `gaussians`.
        config: Constants of the renderer.

    Raises:
        GeometryError: There is no camera, or the cameras differ in size.
    """
    sizes = {(int(w), int(h)) for w, h in cameras.size.tolist()}
    if len(sizes) != 1:
        raise GeometryError(
            f"the cameras have {len(sizes)} different sizes {sorted(sizes)}, expected one",
            hint="render cameras of different sizes one size at a time",
        )
    (width, height) = sizes.pop()
    rasterizer = rasterizer or get_rasterizer(device=gaussians.means.device)
    return rasterizer(
        gaussians.means,
        gaussians.quats,
        gaussians.scales,
        gaussians.opacities,
        gaussians.sh,
        cameras.cam_from_world,
        cameras.K,
        width,
        height,
        sh_degree=gaussians.sh_degree,
        backgrounds=None if background is None else background.expand(len(cameras), 3),
        depth=depth,
        config=config,
    )
