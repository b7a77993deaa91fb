"""Choosing a rasteriser, and rendering the project's types with it."""

import importlib.util
import logging
from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import GeometryError, InputError, ResourceError
from recon.render.protocol import GSPLAT_DEFAULTS, RasterConfig, Rasterizer, Rendering
from recon.types import Cameras, Gaussians

logger = logging.getLogger(__name__)

RasterizerName = Literal["auto", "gsplat", "cpu", "torch", "oracle"]


def get_rasterizer(name: RasterizerName = "auto", device: torch.device | str = "cpu") -> Rasterizer:
    """The rasteriser of that name.

    Args:
        name: "gsplat" (CUDA), "cpu" (compiled kernels), "torch" (plain torch, slow), "oracle" (dense float64, for
            tests), or "auto": gsplat for tensors on CUDA, else cpu, else torch where numba is missing.
        device: Where the tensors are that will be rendered.

    Raises:
        ResourceError: The rasteriser asked for cannot run here.
        InputError: There is no rasteriser of that name.
    """
    if name == "auto":
        name = "gsplat" if torch.device(device).type == "cuda" else _best_on_cpu()
    if name not in _MAKERS:
        raise InputError(f"there is no rasteriser '{name}'", hint=f"choose one of auto, {', '.join(_MAKERS)}")
    return _MAKERS[name]()


def _best_on_cpu() -> Literal["cpu", "torch"]:
    if importlib.util.find_spec("numba") is not None:
        return "cpu"
    logger.warning("numba is not installed: rendering with plain torch, about 15 times slower")
    return "torch"


def _make_gsplat() -> Rasterizer:
    from recon.render.gsplat_backend import GsplatRasterizer

    return GsplatRasterizer()


def _make_cpu() -> Rasterizer:
    if importlib.util.find_spec("numba") is None:
        raise ResourceError("the rasteriser 'cpu' needs numba", hint="pip install numba, or use 'torch'")
    from recon.render.cpu.backend import CpuRasterizer

    return CpuRasterizer()


def _make_torch() -> Rasterizer:
    from recon.render.tiled import TiledRasterizer

    return TiledRasterizer()


def _make_oracle() -> Rasterizer:
    from recon.render.oracle import OracleRasterizer

    return OracleRasterizer()


_MAKERS: dict[str, Callable[[], Rasterizer]] = {
    "gsplat": _make_gsplat,
    "cpu": _make_cpu,
    "torch": _make_torch,
    "oracle": _make_oracle,
}


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
