"""The definition of the image, for tests: every pixel looks at every Gaussian."""

import torch
from jaxtyping import Float
from torch import Tensor

from recon.geometry.projection import pixel_grid
from recon.render.base import BlendingRasterizer
from recon.render.colors import view_colors
from recon.render.protocol import RasterConfig
from recon.render.splats import MIN_ALPHA, STOP_TRANSMITTANCE, Splats, project_splats


class OracleRasterizer(BlendingRasterizer):
    """Dense, in float64 whatever the inputs are, differentiated by autograd. Memory grows as pixels times Gaussians."""

    name = "oracle"

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
        per_view = view_colors(means.double(), colors.double(), viewmats.double(), sh_degree)
        images, alphas = [], []
        for camera, viewmat in enumerate(viewmats.double()):
            splats = project_splats(
                means.double(),
                quats.double(),
                scales.double(),
                opacities.double(),
                viewmat,
                Ks[camera].double(),
                size,
                config,
            )
            channels = per_view[min(camera, len(per_view) - 1)][splats.index]
            finite = channels.detach().isfinite().all(1).nonzero().flatten()
            splats, channels = splats.at(finite), channels[finite]
            if with_depth:
                channels = torch.cat([channels, splats.depth[:, None]], dim=1)
            weights = _weights(splats, size, config.max_alpha)
            alpha = weights.sum(-1, keepdim=True)
            images.append(weights @ channels + (1 - alpha) * backgrounds[camera].double())
            alphas.append(alpha)
        return torch.stack(images).to(means.dtype), torch.stack(alphas).to(means.dtype)


def _weights(splats: Splats, size: tuple[int, int], max_alpha: float) -> Float[Tensor, "height width splats"]:
    """Weight of each splat in each pixel (Kerbl et al. 2023, eq. 3)."""
    width, height = size
    grid = pixel_grid(height, width, device=splats.conic.device).to(splats.conic.dtype)
    dx, dy = (grid[:, :, None] - splats.mean_px).unbind(-1)
    xx, xy, yy = splats.conic.unbind(-1)
    sigma = 0.5 * (xx * dx * dx + yy * dy * dy) + xy * dx * dy
    alpha = (splats.opacity * torch.exp(-sigma)).clamp_max(max_alpha)
    alpha = torch.where((sigma >= 0) & (alpha >= MIN_ALPHA), alpha, torch.zeros_like(alpha))
    after = torch.cumprod(1 - alpha, dim=-1)
    before = torch.cat([torch.ones_like(after[..., :1]), after], dim=-1)[..., :-1]
    return torch.where(after > STOP_TRANSMITTANCE, alpha * before, torch.zeros_like(alpha))
