"""Gaussians from a file, held against what Gaussians must be."""

from pathlib import Path

from recon.errors import GeometryError
from recon.types import Gaussians

HINT = "`recon convert` drops such Gaussians and says how many"


def checked(path: Path, gaussians: Gaussians) -> Gaussians:
    """Return the Gaussians.

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
