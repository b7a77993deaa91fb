"""Similarity between two point sets (Umeyama 1991)."""

import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import GeometryError


def umeyama(
    source: Float[Tensor, "n 3"], target: Float[Tensor, "n 3"]
) -> tuple[Float[Tensor, ""], Float[Tensor, "3 3"], Float[Tensor, "3"]]:
    """Least-squares similarity with target ~ scale * rotation @ source + translation.

    With fewer than three points, or points on a line, the rotation about that line is arbitrary but proper.

    Raises:
        GeometryError: No spread in `source`, so that no scale exists.
    """
    mu_source, mu_target = source.mean(0), target.mean(0)
    centred_source, centred_target = source - mu_source, target - mu_target
    variance = centred_source.square().sum() / len(source)
    if not variance > 0:
        raise GeometryError(f"{len(source)} points without spread have no similarity transform")
    U, D, Vt = torch.linalg.svd(centred_target.T @ centred_source / len(source))
    sign = torch.ones(3, dtype=source.dtype, device=source.device)
    sign[2] = torch.sign(torch.linalg.det(U) * torch.linalg.det(Vt))
    rotation = U @ torch.diag(sign) @ Vt
    scale = (D * sign).sum() / variance
    return scale, rotation, mu_target - scale * rotation @ mu_source
