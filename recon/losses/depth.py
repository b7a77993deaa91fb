"""Losses on log depth, for training scenes whose depth is known."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import log_softmax


def log_depth_l1(
    log_depth: Float[Tensor, "*n height width"],
    target: Float[Tensor, "*n height width"],
    valid: Bool[Tensor, "*n height width"],
) -> Float[Tensor, ""]:
    """Mean absolute difference of natural log depth over valid pixels, i.e. the mean relative depth error."""
    return ((log_depth - target).abs() * valid).sum() / valid.sum().clamp(min=1)


def log_depth_robust(
    log_depth: Float[Tensor, "*n height width"],
    target: Float[Tensor, "*n height width"],
    valid: Bool[Tensor, "*n height width"],
    knee: float = 0.05,
) -> Float[Tensor, ""]:
    """As `log_depth_l1`, but errors far beyond `knee` hardly pull: knee * log(1 + error / knee) (Cauchy's, of L1).

    What no other view sees can only be guessed; this sharpens what can be matched.
    """
    error = (log_depth - target).abs()
    return ((knee * torch.log1p(error / knee)) * valid).sum() / valid.sum().clamp(min=1)


def plane_cross_entropy(
    logits: Float[Tensor, "*n planes height width"],
    planes: Float[Tensor, " planes"],
    target: Float[Tensor, "*n height width"],
    valid: Bool[Tensor, "*n height width"],
) -> Float[Tensor, ""]:
    """Cross entropy of a distribution over depth planes with the true depth, split between its two nearest planes.

    Args:
        logits: Unnormalised log probability of each plane.
        planes: Ascending, evenly spaced values (log depth).
        target: True value of each pixel, clamped to the range of the planes.
        valid: Pixels that count.
    """
    position = ((target - planes[0]) / (planes[1] - planes[0])).clamp(0, len(planes) - 1)
    lower = position.floor().clamp(max=len(planes) - 2)
    upper_share = (position - lower)[..., None, :, :]
    index = lower.long()[..., None, :, :]
    log_prob = log_softmax(logits, dim=-3)
    entropy = -(1 - upper_share) * log_prob.gather(-3, index) - upper_share * log_prob.gather(-3, index + 1)
    return (entropy.squeeze(-3) * valid).sum() / valid.sum().clamp(min=1)


def log_of_inverse(inverse_depth: Float[Tensor, "*n height width"], lowest: float) -> Float[Tensor, "*n height width"]:
    """Log depth of an inverse depth map; infinity (0) becomes the depth 1 / lowest."""
    return -torch.log(inverse_depth.clamp(min=lowest))
