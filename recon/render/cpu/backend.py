"""The CPU rasteriser."""

import torch
from jaxtyping import Float
from torch import Tensor

from recon.render.colors import view_colors
from recon.render.cpu.autograd import Rasterize, Settings
from recon.render.protocol import GSPLAT_DEFAULTS, RasterConfig, Rendering


class CpuRasterizer:
    """Compiled kernels on the threads of `torch.set_num_threads`; float32 or float64.

    Differentiable with respect to everything but the intrinsics. The result does not depend on the number of threads.
    Gaussians that hold NaN or infinity are left out.
    """

    name = "cpu"

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
        per_view = view_colors(means, colors, viewmats, sh_degree)
        num_channels = per_view.shape[2]
        if backgrounds is None:
            backgrounds = means.new_zeros(len(viewmats), num_channels)
        if depth:
            backgrounds = torch.nn.functional.pad(backgrounds, (0, 1))
        settings = Settings(
            width=width,
            height=height,
            limits=(config.near_plane, config.far_plane, config.eps2d, config.radius_clip, config.min_compensation),
            antialiased=config.rasterize_mode == "antialiased",
            max_alpha=config.max_alpha,
            with_depth=depth,
        )
        blended, alpha = Rasterize.apply(means, quats, scales, opacities, per_view, viewmats, Ks, backgrounds, settings)  # pyright: ignore[reportGeneralTypeIssues]
        if not depth:
            return Rendering(blended, alpha, None)
        return Rendering(blended[..., :-1], alpha, blended[..., -1:] / alpha.clamp_min(1e-10))
