"""A temporary folder with the reduced photographs and the database that COLMAP works on."""

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from recon.errors import ResourceError
from recon.types import Photograph

# Focal lengths of photographs and video frames in long sides: 0.5 is a wide video, 0.75 a telephone, 1.4 a portrait.
_LIKELY_FOCAL_FACTOR = 0.8
# COLMAP's feature extraction crashes on images with sides of 12 pixels and less.
MIN_SIDE_PX = 32


@dataclass(frozen=True)
class Lens:
    """Photographs that share intrinsics.

    Attributes:
        members: Their indices.
        size: Width and height of the reduced photographs.
        focal_px: Focal length in pixels of the reduced photographs, if a camera wrote it down.
    """

    members: tuple[int, ...]
    size: tuple[int, int]
    focal_px: float | None

    @property
    def long_side(self) -> int:
        """Longer side of the reduced photographs in pixels."""
        return max(self.size)

    @property
    def expected_focal_px(self) -> float:
        """The focal length written down, or else a likely one."""
        return self.focal_px or _LIKELY_FOCAL_FACTOR * self.long_side


@dataclass(frozen=True)
class Workspace:
    """What the stages share; lives as long as its folder.

    Attributes:
        folder: The temporary folder.
        lenses: Groups of photographs with common intrinsics; without those that are too small to be used.
        num_photographs: Number of all photographs.
    """

    folder: Path
    lenses: tuple[Lens, ...]
    num_photographs: int

    @property
    def images(self) -> Path:
        """Folder of the reduced photographs, grey, named by `image_name`."""
        return self.folder / "images"

    def image_path(self, index: int) -> Path:
        """File of one reduced photograph."""
        return self.images / image_name(index)

    def lens_of(self, index: int) -> Lens:
        """Lens of one photograph."""
        return next(lens for lens in self.lenses if index in lens.members)


def image_name(index: int) -> str:
    """File name of the reduced photograph with that index."""
    return f"{index:06d}.pgm"


def image_index(name: str) -> int:
    """Inverse of `image_name`."""
    return int(Path(name).stem)


@contextmanager
def open_workspace(photographs: Sequence[Photograph], long_side_px: int) -> Iterator[Workspace]:
    """Write reduced grey copies of the photographs into a temporary folder that is removed at the end.

    Raises:
        ResourceError: The temporary folder cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="recon-sfm-", ignore_cleanup_errors=True) as folder:
        workspace = Workspace(Path(folder), _group_lenses(photographs, long_side_px), len(photographs))
        workspace.images.mkdir()
        for lens in workspace.lenses:
            for index in lens.members:
                _write_reduced(workspace.image_path(index), photographs[index], lens.size)
        yield workspace


def reduced_size(size: tuple[int, int], long_side_px: int) -> tuple[int, int]:
    """Width and height after reduction to the long side; smaller photographs stay as they are."""
    scale = min(1.0, long_side_px / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _group_lenses(photographs: Sequence[Photograph], long_side_px: int) -> tuple[Lens, ...]:
    groups: dict[tuple[str, tuple[int, int]], list[int]] = defaultdict(list)
    for index, photograph in enumerate(photographs):
        if min(reduced_size(photograph.size, long_side_px)) >= MIN_SIDE_PX:
            groups[photograph.camera_id, photograph.size].append(index)
    lenses = []
    for (_, size), members in groups.items():
        reduced = reduced_size(size, long_side_px)
        known = [focal for i in members if (focal := photographs[i].focal_px) is not None]
        focal_px = median(known) * max(reduced) / max(size) if known else None
        lenses.append(Lens(tuple(members), reduced, focal_px))
    return tuple(lenses)


def _write_reduced(path: Path, photograph: Photograph, size: tuple[int, int]) -> None:
    grey = cv2.cvtColor(np.ascontiguousarray(photograph.pixels), cv2.COLOR_RGB2GRAY)
    if size != photograph.size:
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    try:
        path.write_bytes(b"P5 %d %d 255\n" % size + grey.tobytes())
    except OSError as error:
        raise ResourceError(
            f"cannot write {path} ({error})", hint="the folder for temporary files needs space"
        ) from error
