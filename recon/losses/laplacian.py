"""Differences of images band by band (Burt and Adelson 1983)."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from recon.losses.separable import filter_inside

BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


def laplacian_l1(
    rendered: Float[Tensor, "*n 3 height width"], target: Float[Tensor, "*n 3 height width"], *, levels: int = 5
) -> Float[Tensor, ""]:
    """Sum over frequency bands of the mean absolute difference: lost detail of every size counts. It needs no weights.

    Each band is what a blur takes away; the blurred rest, at half the resolution, is split further, and what remains
    after the last level counts as a band of its own. The bands of a constant difference are 0 but for that.

    Args:
        rendered: Images in 0..1.
        target: What they should be.
        levels: Bands, one per octave, beside the rest.
    """
    error = (rendered - target).flatten(0, -3)[:, None]
    loss = error.new_zeros(())
    for _ in range(levels):
        blurred = _blur(error)
        loss = loss + (error - blurred).abs().mean()
        error = blurred[..., ::2, ::2]
    return loss + error.abs().mean()


def _blur(x: Float[Tensor, "n 1 height width"]) -> Float[Tensor, "n 1 height width"]:
    """Binomial filter of five taps along both axes; the border is continued."""
    return filter_inside(pad(x, (2, 2, 2, 2), mode="replicate"), BINOMIAL)
