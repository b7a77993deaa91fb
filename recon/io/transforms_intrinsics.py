"""Intrinsics as transforms.json states them."""

import math
from typing import Any

from recon.errors import FormatError
from recon.io.photographs.lens import Lens

MODELS = ("OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL")
LARGEST = 1e9


def read_lens(where: str, fields: dict[str, Any], default_size: tuple[int, int]) -> Lens:
    """Intrinsics from the fields of a frame, completed by those of the whole file.

    Focal lengths come from `fl_x`, `fl_y`, else from `camera_angle_x`, `camera_angle_y` (radians). The principal point
    defaults to the centre.

    Args:
        where: Beginning of every error message.
        fields: The JSON fields.
        default_size: Width and height where `w` and `h` are absent: those of the upright image file.

    Raises:
        FormatError: A field is missing, not a number, or states another camera model.
    """
    model = fields.get("camera_model", "OPENCV")
    further = any(_number(where, fields, name, 0.0) for name in ("k3", "k4", "k5", "k6"))
    if model not in MODELS or further or fields.get("is_fisheye"):
        raise FormatError(
            f"{where}: camera model {model!r} is a fisheye, or has more than k1, k2, p1, p2",
            hint=f"expected one of {', '.join(MODELS)}; undistort the photographs first",
        )
    width = _number(where, fields, "w", float(default_size[0]))
    height = _number(where, fields, "h", float(default_size[1]))
    focal_x = _focal(where, fields, "x", width)
    if focal_x is None:
        raise FormatError(f"{where}: neither fl_x nor camera_angle_x is given")
    focal_y = _focal(where, fields, "y", height) or focal_x
    center = (_number(where, fields, "cx", width / 2), _number(where, fields, "cy", height / 2))
    k1, k2, p1, p2 = (_number(where, fields, name, 0.0) for name in ("k1", "k2", "p1", "p2"))
    return Lens((width, height), (focal_x, focal_y), center, (k1, k2, p1, p2))


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
