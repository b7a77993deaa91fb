"""The CPU rasteriser."""

import math

from jaxtyping import Float
from torch import Tensor

from recon.geometry.spherical_harmonics import num_coefficients
from recon.render.base import BlendCall, Blended, BlendingRasterizer
from recon.render.colors import camera_centers
from recon.render.cpu.autograd import Rasterize
from recon.render.cpu.frame import Settings


class CpuRasterizer(BlendingRasterizer):
    """Compiled kernels on the threads of `torch.set_num_threads`; float32 or float64.

    Differentiable with respect to everything but the intrinsics. The result does not depend on the number of threads.
    """

    name = "cpu"

    def blend(self, call: BlendCall) -> Blended:
        """See `BlendingRasterizer.blend`."""
        config = call.config
        # gsplat rounds radii up: ceil(r) > clip is r > floor(clip)
        whole_clip = float(math.floor(config.radius_clip))
        settings = Settings(
            size=call.size,
            limits=(config.near_plane, config.far_plane, config.eps2d, whole_clip, config.min_compensation),
            antialiased=config.rasterize_mode == "antialiased",
            max_alpha=config.max_alpha,
            with_depth=call.with_depth,
            num_harmonics=0 if call.sh_degree is None else num_coefficients(call.sh_degree),
        )
        depends_on_view = call.sh_degree is not None and call.sh_degree > 0
        centers = camera_centers(call.viewmats) if depends_on_view else call.viewmats.new_zeros(len(call.viewmats), 3)
        color, alpha = Rasterize.apply(  # pyright: ignore[reportGeneralTypeIssues]
            call.means,
            call.quats,
            call.scales,
            call.opacities,
            _sets(call.colors, call.sh_degree),
            call.viewmats,
            centers,
            call.Ks,
            call.backgrounds,
            settings,
        )
        return color, alpha


def _sets(colors: Tensor, sh_degree: int | None) -> Float[Tensor, "sets gaussians coefficients channels"]:
    """The layout of `cpu.colors`."""
    if sh_degree is not None:
        return colors[None]
    return colors[:, :, None] if colors.ndim == 3 else colors[None, :, None]
