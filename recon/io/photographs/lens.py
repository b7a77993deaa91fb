"""Intrinsics that a file states, carried over to the photograph in memory."""

import math
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import FormatError, GeometryError
from recon.io.photographs.headers import TURNS_ASIDE

# Stated sizes are whole numbers, so a reduced copy may have an aspect ratio that is off by a rounding.
ASPECT_TOLERANCE = 0.02
# EXIF orientation -> rotation of image axes, upright from stored. The others mirror, which no camera motion does.
TURNS = {1: ((1, 0), (0, 1)), 3: ((-1, 0), (0, -1)), 6: ((0, -1), (1, 0)), 8: ((0, 1), (-1, 0))}

# Of any number of a lens; what is beyond has no meaning, and may have no place in float32.
LARGEST = 1e9

Describes = Literal["upright", "stored"]


@runtime_checkable
class Picture(Protocol):
    """What has to be known of a picture to fit a camera to it: of a `Photograph`, or of a header alone."""

    @property
    def original_size(self) -> tuple[int, int]:
        """Width and height of the upright picture in its file."""
        ...

    @property
    def orientation(self) -> int:
        """EXIF orientation 1..8 of the picture in its file."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pixels in memory, upright."""
        ...


@dataclass(frozen=True)
class Lens:
    """A pinhole with OpenCV distortion, in pixels of an image of `size`.

    Attributes:
        size: Width and height of the image that it is stated for.
        focal: Along x and y.
        center: The principal point; the centre of the first pixel is (0.5, 0.5).
        distortion: k1, k2, p1, p2.
    """

    size: tuple[float, float]
    focal: tuple[float, float]
    center: tuple[float, float]
    distortion: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class FittedCamera:
    """The camera of a photograph in memory.

    Attributes:
        K: In pixels of `Photograph.pixels`.
        distortion: OpenCV k1, k2, p1, p2.
        cam_from_world: OpenCV axes, of the upright picture.
    """

    K: Float[Tensor, "3 3"]
    distortion: Float[Tensor, "4"]
    cam_from_world: Float[Tensor, "4 4"]


def fit_camera(
    where: str,
    lens: Lens,
    cam_from_world: Float[Tensor, "4 4"],
    photograph: Picture,
    describes: Describes = "upright",
) -> FittedCamera:
    """The camera of the upright photograph, at the size that it has in memory.

    Programs that ignore EXIF orientation state cameras of the picture as it is stored; these are turned about the
    optical axis. Where the stated size tells which of the two pictures is meant, it decides.

    Args:
        where: Beginning of every error message.
        lens: Its size may be any multiple of the photograph's.
        cam_from_world: OpenCV axes.
        photograph: Upright, or only its header.
        describes: The picture that is meant where the size leaves it open.

    Raises:
        FormatError: The lens has no positive size or focal length, or a number that is not finite.
        GeometryError: The stated size has another aspect ratio, or the stored picture is mirrored.
    """
    _require_sane(where, lens)
    width, height = photograph.original_size
    stored = (height, width) if photograph.orientation in TURNS_ASIDE else (width, height)
    upright_fits, stored_fits = _same_shape(lens.size, (width, height)), _same_shape(lens.size, stored)
    if not (upright_fits or stored_fits):
        raise GeometryError(
            f"{where}: intrinsics are for {lens.size[0]:g} x {lens.size[1]:g}, "
            f"the upright photograph is {width} x {height}",
            hint="was the photograph cropped, or turned, after the poses were found?",
        )
    if stored_fits and (describes == "stored" or not upright_fits):
        lens, cam_from_world = _turn(where, lens, cam_from_world, photograph.orientation)
    scale = [side / stated for side, stated in zip(photograph.size, lens.size, strict=True)]
    K = torch.eye(3)
    for axis in (0, 1):
        K[axis, axis] = lens.focal[axis] * scale[axis]
        K[axis, 2] = lens.center[axis] * scale[axis]
    return FittedCamera(K, torch.tensor(lens.distortion), cam_from_world)


def _turn(
    where: str, lens: Lens, cam_from_world: Float[Tensor, "4 4"], orientation: int
) -> tuple[Lens, Float[Tensor, "4 4"]]:
    """The camera of the upright picture from that of the stored one."""
    if orientation not in TURNS:
        raise GeometryError(
            f"{where}: the camera describes the stored picture, which EXIF orientation {orientation} mirrors",
            hint="save the photograph upright, without the EXIF orientation, and find the poses again",
        )
    turn = np.array(TURNS[orientation], dtype=np.float64)
    size = np.abs(turn) @ lens.size
    corner = np.where(turn.sum(axis=1) < 0, size, 0.0)  # where the first corner of the stored picture goes
    center = turn @ lens.center + corner
    focal = np.abs(turn) @ lens.focal
    k1, k2, p1, p2 = lens.distortion
    # The tangential part is p r^2 + 2 q (p.q) of the ray q with p = (p2, p1), a vector that turns with the picture.
    p2, p1 = (turn @ (p2, p1)).tolist()
    rotation = torch.eye(4, dtype=cam_from_world.dtype)
    rotation[:2, :2] = torch.from_numpy(turn)
    turned = Lens(_pair(size), _pair(focal), _pair(center), (k1, k2, p1, p2))
    return turned, rotation @ cam_from_world


def _pair(values: np.ndarray) -> tuple[float, float]:
    return float(values[0]), float(values[1])


def _same_shape(stated: tuple[float, float], found: tuple[int, int]) -> bool:
    return abs(math.log(found[0] / stated[0] * stated[1] / found[1])) <= ASPECT_TOLERANCE


def _require_sane(where: str, lens: Lens) -> None:
    if not min(lens.size) > 0:
        raise FormatError(f"{where}: the size is {lens.size[0]:g} x {lens.size[1]:g}, expected positive")
    if not min(lens.focal) > 0:
        raise FormatError(f"{where}: the focal length is {min(lens.focal):g} px, expected positive")
    if not all(map(math.isfinite, (*lens.size, *lens.focal, *lens.center, *lens.distortion))):
        raise FormatError(f"{where}: the intrinsics hold NaN or infinity")
    largest = max(map(abs, (*lens.size, *lens.focal, *lens.center, *lens.distortion)))
    if largest > LARGEST or min(lens.size) < 1 / LARGEST:
        raise FormatError(f"{where}: the intrinsics hold numbers beyond {LARGEST:g}")
