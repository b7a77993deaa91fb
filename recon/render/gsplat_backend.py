"""The CUDA rasteriser: a thin cover over gsplat (Ye et al. 2024), the only file that knows it."""

import importlib
import importlib.util
import logging
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import ResourceError
from recon.render.protocol import GSPLAT_DEFAULTS, RasterConfig, Rendering

logger = logging.getLogger(__name__)

_MAX_ALPHA_BEFORE_1_6 = 0.999


class GsplatRasterizer:
    """gsplat's CUDA kernels; see `protocol.Rasterizer` for the call.

    The cap of alpha and the least compensation are compiled into gsplat; a config that asks for others is logged.

    Raises:
        ResourceError: There is no CUDA device.
    """

    name = "gsplat"

    def __init__(self) -> None:
        if not torch.cuda.is_available():
            raise ResourceError(
                "the rasteriser 'gsplat' needs a CUDA device, and there is none",
                hint="use the rasteriser 'cpu' or 'auto'",
            )

    def __call__(
        self,
        means: Float[Tensor, "gaussians 3"],
        quats: Float[Tensor, "gaussians 4"],
        scales: Float[Tensor, "gaussians 3"],
        opacities: Float[Tensor, " gaussians"],
        colors: Float[Tensor, "..."],
        viewmats: Float[Tensor, "cameras 4 4"],
        Ks: Float[Tensor, "cameras 3 3"],
        width: int,
        height: int,
        *,
        sh_degree: int | None = None,
        backgrounds: Float[Tensor, "cameras channels"] | None = None,
        depth: bool = False,
        config: RasterConfig = GSPLAT_DEFAULTS,
    ) -> Rendering:
        """See `protocol.Rasterizer`."""
        import gsplat  # slow, and on odd machines it raises

        _warn_of_other_cap(config)
        rendered, alpha, _ = gsplat.rasterization(
            **rasterization_arguments(
                means, quats, scales, opacities, colors, viewmats, Ks, width, height,
                sh_degree=sh_degree, backgrounds=backgrounds, depth=depth, config=config,
            )
        )  # fmt: skip
        if not depth:
            return Rendering(rendered, alpha, None)
        return Rendering(rendered[..., :-1], alpha, rendered[..., -1:])


def rasterization_arguments(
    means: Tensor,
    quats: Tensor,
    scales: Tensor,
    opacities: Tensor,
    colors: Tensor,
    viewmats: Tensor,
    Ks: Tensor,
    width: int,
    height: int,
    *,
    sh_degree: int | None,
    backgrounds: Tensor | None,
    depth: bool,
    config: RasterConfig,
) -> dict[str, Any]:
    """Keyword arguments of `gsplat.rasterization` for a call of the protocol."""
    return {
        "means": means,
        "quats": quats,
        "scales": scales,
        "opacities": opacities,
        "colors": colors,
        "viewmats": viewmats,
        "Ks": Ks,
        "width": width,
        "height": height,
        "near_plane": config.near_plane,
        "far_plane": config.far_plane,
        "radius_clip": config.radius_clip,
        "eps2d": config.eps2d,
        "sh_degree": sh_degree,
        "packed": False,
        "backgrounds": backgrounds,
        "render_mode": "RGB+ED" if depth else "RGB",
        "rasterize_mode": config.rasterize_mode,
    }


def installed_max_alpha() -> float:
    """The cap of alpha in the installed gsplat; versions before 1.6 do not tell theirs."""
    name = "gsplat.cuda._constants"
    if importlib.util.find_spec(name) is None:
        return _MAX_ALPHA_BEFORE_1_6
    return float(importlib.import_module(name).MAX_ALPHA)


def _warn_of_other_cap(config: RasterConfig) -> None:
    installed = installed_max_alpha()
    if abs(installed - config.max_alpha) > 1e-6:
        logger.warning("gsplat caps alpha at %g, the config asks for %g", installed, config.max_alpha)
