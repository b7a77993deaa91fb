"""Image quality, as pixelSplat, MVSplat and iLRM measure it."""

import torch
from jaxtyping import Float, Float64
from skimage.metrics import structural_similarity
from torch import Tensor


def psnr(
    rendered: Float[Tensor, "n 3 height width"], target: Float[Tensor, "n 3 height width"]
) -> Float64[Tensor, " n"]:
    """Peak signal-to-noise ratio in dB of each image, in float64; both are clipped to 0..1 first."""
    error = (rendered.double().clamp(0, 1) - target.double().clamp(0, 1)).square().mean((1, 2, 3))
    return -10 * torch.log10(error.clamp(min=1e-10))


def ssim(rendered: Float[Tensor, "n 3 height width"], target: Float[Tensor, "n 3 height width"]) -> Float[Tensor, " n"]:
    """Structural similarity (Wang et al. 2004) of each image, 11-tap Gaussian window, data range 1.

    Values beyond 0..1 are compared as they are, unlike in `psnr`: so it is in published tables.
    """
    values = [
        structural_similarity(a, b, win_size=11, gaussian_weights=True, channel_axis=0, data_range=1.0)
        for a, b in zip(rendered.numpy(force=True), target.numpy(force=True), strict=True)
    ]
    return torch.tensor(values, dtype=torch.float64)
