"""Intrinsics as transforms.json states them, carried over to the photograph in memory."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import FormatError, GeometryError
from recon.geometry.projection import scale_intrinsics
from recon.types import Photograph

MODELS = ("OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL")
# Stated sizes are whole numbers, so a reduced copy may have an aspect ratio that is off by a rounding.
ASPECT_TOLERANCE = 0.02
LARGEST = 1e9


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole with OpenCV distortion.

    Attributes:
        K: In pixels of the photograph in memory.
        distortion: k1, k2, p1, p2.
    """

    K: Float[Tensor, "3 3"]
    distortion: Float[Tensor, "4"]


def read_intrinsics(where: str, fields: dict[str, Any], photograph: Photograph) -> Intrinsics:
    """Intrinsics from the fields of a frame, completed by those of the whole file.

    Focal lengths come from `fl_x`, `fl_y`, else from `camera_angle_x`, `camera_angle_y` (radians). The principal point
    defaults to the centre, `w` and `h` to the size of the image file.

    Args:
        where: Beginning of every error message.
        fields: The JSON fields.
        photograph: Of which the stated size may be any multiple.

    Raises:
        FormatError: A field is missing, not a number, or states another camera model.
        GeometryError: The stated size has another aspect ratio than the photograph.
    """
    model = fields.get("camera_model", "OPENCV")
    further = any(_number(where, fields, name, 0.0) for name in ("k3", "k4", "k5", "k6"))
    if model not in MODELS or further or fields.get("is_fisheye"):
        raise FormatError(
            f"{where}: camera model {model!r} is a fisheye, or has more than k1, k2, p1, p2",
            hint=f"expected one of {', '.join(MODELS)}; undistort the photographs first",
        )
    width = _number(where, fields, "w", float(photograph.original_size[0]))
    height = _number(where, fields, "h", float(photograph.original_size[1]))
    if min(width, height) <= 0:
        raise FormatError(f"{where}: the size is {width:g} x {height:g}, expected positive")
    sx, sy = photograph.size[0] / width, photograph.size[1] / height
    if abs(math.log(sx / sy)) > ASPECT_TOLERANCE:
        raise GeometryError(
            f"{where}: intrinsics are for {width:g} x {height:g}, "
            f"the upright photograph is {photograph.original_size[0]} x {photograph.original_size[1]}",
            hint="was the photograph cropped, or turned by its EXIF orientation, after the poses were found?",
        )
    focal_x = _focal(where, fields, "x", width)
    if focal_x is None:
        raise FormatError(f"{where}: neither fl_x nor camera_angle_x is given")
    focal_y = _focal(where, fields, "y", height) or focal_x
    K = torch.eye(3)
    K[0, 0], K[1, 1] = focal_x, focal_y
    K[0, 2], K[1, 2] = _number(where, fields, "cx", width / 2), _number(where, fields, "cy", height / 2)
    distortion = torch.tensor([_number(where, fields, name, 0.0) for name in ("k1", "k2", "p1", "p2")])
    return Intrinsics(scale_intrinsics(K, sx, sy), distortion)


def _focal(where: str, fields: dict[str, Any], axis: str, side: float) -> float | None:
    if f"fl_{axis}" in fields:
        focal = _number(where, fields, f"fl_{axis}", 0.0)
    elif f"camera_angle_{axis}" in fields:
        angle = _number(where, fields, f"camera_angle_{axis}", 0.0)
        focal = 0.5 * side / math.tan(0.5 * angle) if 0 < angle < math.pi else 0.0
    else:
        return None
    if not focal > 0:
        raise FormatError(f"{where}: the focal length along {axis} is {focal:g} px, expected positive")
    return focal


def _number(where: str, fields: dict[str, Any], name: str, default: float) -> float:
    value = fields.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < LARGEST:
        raise FormatError(f"{where}: {name} is {value!r}, expected a number")
    return float(value)
