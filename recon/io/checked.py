"""Gaussians on their way from a file and to a file, held against what Gaussians must be."""

from dataclasses import fields
from pathlib import Path

import torch

from recon.errors import ExportError, GeometryError, LimitError
from recon.io.limits import Limits
from recon.types import Gaussians

HINT = "`recon convert` drops such Gaussians and says how many"
SMALLEST_FLOAT32_SCALE = 1e-38


def checked(path: Path, gaussians: Gaussians) -> Gaussians:
    """Return Gaussians that were read.

    Raises:
        GeometryError: They are not valid; the message names the file and the first bad entry.
    """
    zero = (gaussians.quats == 0).all(1)
    if bool(zero.any()):
        first = int(zero.nonzero()[0, 0])
        raise GeometryError(f"{path}: the rotation of Gaussian {first} is zero", hint=HINT)
    try:
        return gaussians.validate()
    except GeometryError as error:
        raise GeometryError(f"{path}: {error.message}", hint=HINT) from error


def check_count(path: Path, num_gaussians: int, limits: Limits) -> None:
    """Raise before anything is allocated for too many Gaussians.

    Raises:
        LimitError: There are more than `limits.max_gaussians`.
    """
    if num_gaussians > limits.max_gaussians:
        raise LimitError(f"{path}: {num_gaussians:,} Gaussians, at most {limits.max_gaussians:,} are allowed")


def writable(path: Path, gaussians: Gaussians) -> Gaussians:
    """The Gaussians in main memory, in single precision, cut from the autograd graph.

    Raises:
        GeometryError: They are not valid.
        ExportError: A value does not fit single precision.
    """
    valid = gaussians.detach().validate().to("cpu")
    single = Gaussians(*(getattr(valid, field.name).float() for field in fields(valid)))
    if not all(bool(torch.isfinite(getattr(single, field.name)).all()) for field in fields(single)):
        raise ExportError(f"{path}: some values do not fit single precision", hint="scale the scene down")
    scales = single.scales.clamp(min=SMALLEST_FLOAT32_SCALE)
    return Gaussians(single.means, scales, single.quats, single.opacities, single.sh)
