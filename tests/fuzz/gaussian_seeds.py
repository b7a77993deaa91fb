"""Seeds in the formats of Gaussians, and one way to feed them."""

from pathlib import Path

from fuzzing import SMALL
from seed_data import small_gaussians, written

from recon.io.splats.files import read_gaussians, write_gaussians
from recon.types import Gaussians

KINDS = ((2, 1), (3, 4), (1, 16))
"""Number of Gaussians, and of harmonic coefficients."""
FOREIGN = Path(__file__).parents[1] / "fixtures" / "splat_transform"


def seeds_of(suffix: str) -> list[bytes]:
    """What the writer of that suffix makes of small sets of Gaussians."""
    return [
        written(lambda path, kind=kind: write_gaussians(path, small_gaussians(*kind)), f"x{suffix}") for kind in KINDS
    ]


def read_as(suffix: str, data: bytes, folder: Path) -> Gaussians:
    """Give the bytes to the reader of that suffix."""
    path = folder / f"x{suffix}"
    path.write_bytes(data)
    return read_gaussians(path, limits=SMALL)
