"""What a filtered scene is made of; `refilter` makes it."""

from dataclasses import dataclass
from pathlib import Path

FROM_GAUSSIANS = ("ply", "splat", "spz", "glb", "points")
"""Exports that need no photograph."""


@dataclass(frozen=True)
class Filtered:
    """What was kept.

    Attributes:
        folder: With `scene.json`, as a folder of results.
        kept: Gaussians that are left.
        total: Gaussians that there were.
    """

    folder: Path
    kept: int
    total: int
