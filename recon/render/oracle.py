"""The definition of the image, for tests: every pixel looks at every Gaussian."""

import torch
from jaxtyping import Float
from torch import Tensor

from recon.geometry.projection import pixel_grid
from recon.render.base import BlendCall, Blended, BlendingRasterizer
from recon.render.colors import view_colors
from recon.render.splats import MIN_ALPHA, STOP_TRANSMITTANCE, Splats, project_splats


class OracleRasterizer(BlendingRasterizer):
    """Dense, in float64 whatever the inputs are, differentiated by autograd. Memory grows as pixels times Gaussians."""

    name = "oracle"

    def blend(self, call: BlendCall) -> Blended:
        """See `BlendingRasterizer.blend`."""
        per_view = view_colors(call.means.double(), call.colors.double(), call.viewmats.double(), call.sh_degree)
        images, alphas = [], []
        for camera, viewmat in enumerate(call.viewmats.double()):
            splats = project_splats(
                call.means.double(),
                call.quats.double(),
                call.scales.double(),
                call.opacities.double(),
                viewmat,
                call.Ks[camera].double(),
                call.size,
                call.config,
            )
            channels = per_view[min(camera, len(per_view) - 1)][splats.index]
            finite = channels.detach().isfinite().all(1).nonzero().flatten()
            splats, channels = splats.at(finite), channels[finite]
            if call.with_depth:
                channels = torch.cat([channels, splats.depth[:, None]], dim=1)
            weights = _weights(splats, call.size, call.config.max_alpha)
            alpha = weights.sum(-1, keepdim=True)
            images.append(weights @ channels + (1 - alpha) * call.backgrounds[camera].double())
            alphas.append(alpha)
        return torch.stack(images).to(call.means.dtype), torch.stack(alphas).to(call.means.dtype)


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
