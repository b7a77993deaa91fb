"""Half turns of the world about a coordinate axis, which change nothing but signs and so lose nothing."""

import torch

from recon.geometry.spherical_harmonics import harmonics
from recon.types import Gaussians

GENERIC_DIRECTION = (0.48, 0.6, 0.64)
"""A unit vector at which no basis function up to degree 3 is zero."""


def turned_about_x(gaussians: Gaussians) -> Gaussians:
    """The Gaussians in a world with y and z reversed: from axes right, down, forward to right, up, backward, and back.

    With D = diag(1, -1, -1), means become D m, rotations D R D (the same ellipsoid, since D only reverses principal
    axes), and each harmonic coefficient takes the sign of its basis function under D.
    """
    signs = torch.tensor([1.0, -1.0, -1.0])
    direction = torch.tensor(GENERIC_DIRECTION)
    degree = gaussians.sh_degree
    before, after = (torch.stack(harmonics(d, degree)) for d in (direction, direction * signs))
    device = gaussians.means.device
    return Gaussians(
        means=gaussians.means * signs.to(device),
        scales=gaussians.scales,
        quats=gaussians.quats * torch.tensor([1.0, 1.0, -1.0, -1.0], device=device),
        opacities=gaussians.opacities,
        sh=gaussians.sh * (before * after).sign()[:, None].to(device),
    )
