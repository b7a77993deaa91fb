"""A model from its three files, in either form."""

import math
from pathlib import Path

import numpy as np

from recon.errors import FormatError, GeometryError
from recon.io.colmap import read_binary, read_text
from recon.io.colmap.find import model_suffix
from recon.io.colmap.model import ColmapModel
from recon.io.limits import DEFAULT_LIMITS, Limits

QUATERNION_TOLERANCE = 1e-3


def read_model(folder: Path, *, limits: Limits = DEFAULT_LIMITS, with_points: bool = True) -> ColmapModel:
    """Read `cameras`, `images` and, where there is one, `points3D`; further files (`rigs`, `frames`) are left alone.

    Args:
        folder: Holds the files, .bin or .txt; .bin where there are both.
        limits: Bounds on sizes.
        with_points: Whether `points3D` is read; else the model has no points.

    Raises:
        InputError: A file cannot be read.
        FormatError: A file does not follow the format; the message names file and place.
        GeometryError: A pose or a point is impossible.
        LimitError: A file or the number of points is too large.
    """
    suffix = model_suffix(folder)
    if not suffix:
        raise FormatError(f"{folder}: holds no cameras and images, as .bin or .txt")
    reader = read_binary if suffix == ".bin" else read_text
    cameras = reader.read_cameras(folder / f"cameras{suffix}", limits)
    images = reader.read_images(folder / f"images{suffix}", limits)
    points, colors = np.zeros((0, 3)), np.zeros((0, 3), np.uint8)
    if with_points and (folder / f"points3D{suffix}").is_file():
        points, colors = reader.read_points(folder / f"points3D{suffix}", limits)
    model = ColmapModel(cameras, images, points, colors)
    _require_sane(folder, model)
    return model


def _require_sane(folder: Path, model: ColmapModel) -> None:
    if not model.images:
        raise FormatError(f"{folder}: the model holds no image")
    for image in model.images.values():
        where = f"{folder}: image {image.name[:80]!r}"
        if image.camera_id not in model.cameras:
            raise FormatError(f"{where} has camera {image.camera_id}, which the model does not hold")
        if not all(map(math.isfinite, (*image.quaternion, *image.translation))):
            raise GeometryError(f"{where}: the pose holds NaN or infinity")
        length = math.hypot(*image.quaternion)
        if abs(length - 1) > QUATERNION_TOLERANCE:
            raise GeometryError(f"{where}: the quaternion has length {length:.4g}, expected 1")
    num_bad = int((~np.isfinite(model.points).all(axis=1)).sum())
    if num_bad:
        raise GeometryError(f"{folder}: {num_bad} of {len(model.points)} points hold NaN or infinity")
