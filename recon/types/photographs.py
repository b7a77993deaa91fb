"""Decoded photographs and the poses found for them, before they become a `ViewSet`."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from recon.errors import InputError
from recon.types.cameras import Cameras
from recon.types.checks import require_finite, require_shape


@dataclass(frozen=True)
class Photograph:
    """One decoded photograph.

    Attributes:
        name: File name, unique in its set.
        pixels: Upright sRGB.
        original_size: Width and height of the upright photograph in its file; `pixels` may be smaller.
        focal_px: Focal length in pixels of `pixels` as the camera wrote it (EXIF), or None.
        camera_id: Photographs of one camera, lens and size share it.
        orientation: EXIF orientation 1..8 of the picture in its file; `pixels` are upright whatever it says.
    """

    name: str
    pixels: UInt8[np.ndarray, "height width 3"]
    original_size: tuple[int, int]
    focal_px: float | None = None
    camera_id: str = ""
    orientation: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of `pixels`."""
        return self.pixels.shape[1], self.pixels.shape[0]


@dataclass(frozen=True)
class PoseReport:
    """What is known about how well the poses fit.

    Attributes:
        method: In words, e.g. "SIFT, incremental mapping".
        failed: Name of each photograph without a pose, and why.
        reprojection_error_px: Mean over all observations, in pixels of the photographs; None if not measured.
        track_length: Mean number of photographs that see a point; None if not measured.
        seconds: Wall time.
        detail: Further measured facts.
    """

    method: str
    failed: dict[str, str] = field(default_factory=dict)
    reprojection_error_px: float | None = None
    track_length: float | None = None
    seconds: float = 0.0
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PoseEstimate:
    """Cameras of those photographs that could be placed in one common world.

    Attributes:
        source: "given" or "sfm"; the word that stands in `scene.json`.
        registered: Indices into the list of photographs, ascending; one per camera.
        cameras: In pixels of the photographs (`Photograph.pixels`), before undistortion.
        distortion: OpenCV k1, k2, p1, p2 of each camera; zeros for none.
        points: Sparse surface points in the world; may be empty.
        report: How well it went.
        point_colors: sRGB of each point, or None.
    """

    source: str
    registered: tuple[int, ...]
    cameras: Cameras
    distortion: Float[Tensor, "registered 4"]
    points: Float[Tensor, "points 3"]
    report: PoseReport
    point_colors: UInt8[Tensor, "points 3"] | None = None

    def validate(self, photographs: list[Photograph]) -> "PoseEstimate":
        """Return self, or raise a typed error; `photographs` are those that the poses belong to."""
        self.cameras.validate()
        require_shape("distortion", self.distortion, (len(self.cameras), 4))
        require_finite("distortion", self.distortion)
        require_finite("points", self.points)
        if self.point_colors is not None:
            require_shape("point_colors", self.point_colors, (len(self.points), 3))
        if len(self.registered) != len(self.cameras):
            raise InputError(f"{len(self.registered)} photographs have {len(self.cameras)} cameras")
        sizes = torch.tensor([photographs[i].size for i in self.registered]).reshape(-1, 2)
        if not torch.equal(sizes, self.cameras.size.to(sizes)):
            raise InputError("the cameras are made for other sizes than the photographs have")
        return self
