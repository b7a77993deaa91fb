"""What of a picture's detail comes back, octave by octave."""

import torch
from jaxtyping import Float
from torch import Tensor

EDGES = (1 / 8, 1 / 4, 1 / 2)
"""Between the octaves, as shares of the highest frequency along an axis, half a period a pixel."""

EMPTY = 1e-6
"""Root mean square of an octave, of colours 0..1, below which it is rounding rather than detail."""


def octave_gains(
    rendered: Float[Tensor, "n 3 height width"], target: Float[Tensor, "n 3 height width"]
) -> Float[Tensor, "n 4"]:
    """Gain of a picture in each octave of spatial frequency, coarse to fine.

    The gain is the factor by which the detail of the target must be multiplied to come nearest to that of the rendered
    picture: the regression coefficient of their spectra. 1 is all of it; 0 is none of it, be it blurred away or put
    elsewhere; detail that the target does not have changes nothing. Decoders that enlarge maps, and their padding, tend
    to lose the highest octaves (Tang et al. 2023).

    Args:
        rendered: sRGB.
        target: sRGB; where an octave of it is empty (`EMPTY`), the gain is NaN.
    """
    height, width = target.shape[-2:]
    fade = torch.hann_window(height, device=target.device)[:, None] * torch.hann_window(width, device=target.device)
    seen, true = (torch.fft.fft2((x - x.mean((-2, -1), keepdim=True)) * fade) for x in (rendered, target))
    row, column = (2 * torch.fft.fftfreq(side, device=target.device) for side in (height, width))
    octave = torch.bucketize(torch.hypot(row[:, None], column), torch.tensor(EDGES, device=target.device))
    members = torch.nn.functional.one_hot(octave, len(EDGES) + 1).to(true.real)
    shared = torch.einsum("nchw, hwo -> no", (seen * true.conj()).real, members)
    energy = torch.einsum("nchw, hwo -> no", true.abs().square(), members)
    rms = (energy / target[0].numel()).sqrt() / (height * width) ** 0.5  # Parseval's theorem
    return torch.where(rms < EMPTY, torch.nan, shared / energy)
