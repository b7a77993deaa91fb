"""The CPU rasteriser."""

import math

from jaxtyping import Float
from torch import Tensor

from recon.geometry.spherical_harmonics import num_coefficients
from recon.render.base import BlendingRasterizer
from recon.render.colors import camera_centers
from recon.render.cpu.autograd import Rasterize
from recon.render.cpu.frame import Settings
from recon.render.protocol import RasterConfig


class CpuRasterizer(BlendingRasterizer):
    """Compiled kernels on the threads of `torch.set_num_threads`; float32 or float64.

    Differentiable with respect to everything but the intrinsics. The result does not depend on the number of threads.
    """

    name = "cpu"

    def blend(
        self,
        means: Float[Tensor, "gaussians 3"],
        quats: Float[Tensor, "gaussians 4"],
        scales: Float[Tensor, "gaussians 3"],
        opacities: Float[Tensor, " gaussians"],
        colors: Float[Tensor, "..."],
        sh_degree: int | None,
        viewmats: Float[Tensor, "cameras 4 4"],
        Ks: Float[Tensor, "cameras 3 3"],
        size: tuple[int, int],
        backgrounds: Float[Tensor, "cameras blended"],
        with_depth: bool,
        config: RasterConfig,
    ) -> tuple[Float[Tensor, "cameras height width blended"], Float[Tensor, "cameras height width 1"]]:
        """See `BlendingRasterizer.blend`."""
        # gsplat rounds radii up: ceil(r) > clip is r > floor(clip)
        whole_clip = float(math.floor(config.radius_clip))
        settings = Settings(
            size=size,
            limits=(config.near_plane, config.far_plane, config.eps2d, whole_clip, config.min_compensation),
            antialiased=config.rasterize_mode == "antialiased",
            max_alpha=config.max_alpha,
            with_depth=with_depth,
            num_harmonics=0 if sh_degree is None else num_coefficients(sh_degree),
        )
        depends_on_view = sh_degree is not None and sh_degree > 0
        centers = camera_centers(viewmats) if depends_on_view else viewmats.new_zeros(len(viewmats), 3)
        color, alpha = Rasterize.apply(  # pyright: ignore[reportGeneralTypeIssues]
            means, quats, scales, opacities, _sets(colors, sh_degree), viewmats, centers, Ks, backgrounds, settings
        )
        return color, alpha


def _sets(colors: Tensor, sh_degree: int | None) -> Float[Tensor, "sets gaussians coefficients channels"]:
    """The layout of `cpu.colors`."""
    if sh_degree is not None:
        return colors[None]
    return colors[:, :, None] if colors.ndim == 3 else colors[None, :, None]
