"""The CPU rasteriser."""

from jaxtyping import Float
from torch import Tensor

from recon.render.base import BlendingRasterizer
from recon.render.cpu.autograd import Rasterize, Settings
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
        colors: Float[Tensor, "sets gaussians channels"],
        viewmats: Float[Tensor, "cameras 4 4"],
        Ks: Float[Tensor, "cameras 3 3"],
        size: tuple[int, int],
        backgrounds: Float[Tensor, "cameras blended"],
        with_depth: bool,
        config: RasterConfig,
    ) -> tuple[Float[Tensor, "cameras height width blended"], Float[Tensor, "cameras height width 1"]]:
        """See `BlendingRasterizer.blend`."""
        settings = Settings(
            size=size,
            limits=(config.near_plane, config.far_plane, config.eps2d, config.radius_clip, config.min_compensation),
            antialiased=config.rasterize_mode == "antialiased",
            max_alpha=config.max_alpha,
            with_depth=with_depth,
        )
        color, alpha = Rasterize.apply(  # pyright: ignore[reportGeneralTypeIssues]
            means, quats, scales, opacities, colors, viewmats, Ks, backgrounds, settings
        )
        return color, alpha
