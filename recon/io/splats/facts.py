"""What a file of 3D Gaussians holds, in figures."""

from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from recon.geometry.clean import LARGEST_VALUE, finite_only
from recon.io.limits import DEFAULT_LIMITS, Limits
from recon.io.splats.files import format_of
from recon.io.splats.ply_compressed import is_compressed
from recon.io.splats.ply_header import read_header
from recon.io.splats.spz import spz_header
from recon.types import Gaussians

PERCENTILES = (0, 1, 50, 99, 100)


def gaussian_facts(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> dict[str, Any]:
    """Number, degree, what is not usable, extent, opacities, scales, size and format of a file.

    Values that are NaN, infinite or of no meaning are counted, not refused; percentiles are of the others.

    Raises:
        InputError: As `recon.io.splats.files.read_gaussians`, GeometryError apart.
    """
    decoded = format_of(path).decode(path, limits)
    usable, num_dropped = finite_only(decoded)
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "format": _format_facts(path, limits),
        "gaussians": len(decoded),
        "sh_degree": decoded.sh_degree,
        "not_usable": {"gaussians": num_dropped, **_defects(decoded)},
        "position": {axis: _percentiles(usable.means[:, i]) for i, axis in enumerate("xyz")},
        "opacity": _percentiles(usable.opacities),
        "scale": _percentiles(usable.scales.flatten()),
    }


def _defects(g: Gaussians) -> dict[str, int]:
    """Number of Gaussians with each defect."""

    def beyond(values: Tensor) -> int:
        return int((~(values.abs() < LARGEST_VALUE)).flatten(1).any(1).sum())

    return {
        "means_not_finite": beyond(g.means),
        "scales_not_finite": beyond(g.scales),
        "scales_not_positive": int((g.scales <= 0).any(1).sum()),
        "rotations_not_finite": beyond(g.quats),
        "rotations_zero": int((g.quats == 0).all(1).sum()),
        "opacities_not_finite": beyond(g.opacities[:, None]),
        "colours_not_finite": beyond(g.sh),
    }


def _percentiles(values: Tensor) -> dict[str, float]:
    """The smallest, the largest, and percentiles between; nothing of nothing."""
    if not len(values):
        return {}
    names = ("min", "p1", "p50", "p99", "max")
    found = np.percentile(values.numpy(), PERCENTILES)
    return {name: float(value) for name, value in zip(names, found, strict=True)}


def _format_facts(path: Path, limits: Limits) -> dict[str, Any]:
    suffix = path.suffix.lower()
    if suffix == ".ply":
        header = read_header(path, limits=limits)
        kind = "compressed PLY" if is_compressed(header) else "PLY"
        return {"name": kind, "elements": {e.name: len(e.properties) for e in header.elements.values()}}
    if suffix == ".spz":
        header = spz_header(path)
        facts = {"version": header.version, "fractional_bits": header.fractional_bits}
        return {"name": "SPZ", **facts, "antialiased": bool(header.flags & 1)}
    return {"name": {".splat": "splat", ".glb": "glTF with KHR_gaussian_splatting"}[suffix]}
