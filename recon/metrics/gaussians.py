"""How far two sets of the same Gaussians are apart, field by field."""

import math

import torch

from recon.types import Gaussians


def largest_errors(result: Gaussians, reference: Gaussians) -> dict[str, float]:
    """The largest difference of each field, both sets being in the same order.

    Returns:
        `means` in units of length, `scales` relative to the reference, `rotation_deg` as the angle of the rotation
        between the two, `opacities` and `sh` absolute. Coefficients that only one set has count against zero.

    Raises:
        ValueError: The sets differ in number.
    """
    if len(result) != len(reference):
        raise ValueError(f"{len(result)} Gaussians against {len(reference)}")
    a, b = result.to("cpu"), reference.to("cpu")
    num = max(a.sh.shape[1], b.sh.shape[1])
    sh = [torch.nn.functional.pad(g.sh.double(), (0, 0, 0, num - g.sh.shape[1])) for g in (a, b)]
    # The chord between unit quaternions; its arcsine is exact for small angles, where an arccosine is not.
    qa, qb = a.quats.double(), b.quats.double()
    chord = torch.minimum((qa - qb).norm(dim=1), (qa + qb).norm(dim=1))
    return {
        "means": _largest(a.means.double() - b.means.double()),
        "scales": _largest(a.scales.double() / b.scales.double() - 1),
        "rotation_deg": math.degrees(4 * math.asin(min(1.0, _largest(chord) / 2))),
        "opacities": _largest(a.opacities.double() - b.opacities.double()),
        "sh": _largest(sh[0] - sh[1]),
    }


def _largest(values: torch.Tensor) -> float:
    return float(values.abs().max()) if values.numel() else 0.0
