"""A sparse model as COLMAP stores it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

# Name, number in binary files, and count of parameters of each camera model.
CAMERA_MODELS = {
    "SIMPLE_PINHOLE": (0, 3),
    "PINHOLE": (1, 4),
    "SIMPLE_RADIAL": (2, 4),
    "RADIAL": (3, 5),
    "OPENCV": (4, 8),
    "OPENCV_FISHEYE": (5, 8),
    "FULL_OPENCV": (6, 12),
    "FOV": (7, 5),
    "SIMPLE_RADIAL_FISHEYE": (8, 4),
    "RADIAL_FISHEYE": (9, 5),
    "THIN_PRISM_FISHEYE": (10, 12),
    "RAD_TAN_THIN_PRISM_FISHEYE": (11, 16),
    "SIMPLE_DIVISION": (12, 4),
    "DIVISION": (13, 5),
    "SIMPLE_FISHEYE": (14, 3),
    "FISHEYE": (15, 4),
    "EUCM": (16, 6),
    "EQUIRECTANGULAR": (17, 2),
}
MODEL_NAMES = {number: name for name, (number, _) in CAMERA_MODELS.items()}


@dataclass(frozen=True)
class ColmapCamera:
    """A lens that images share.

    Attributes:
        model: One of `CAMERA_MODELS`.
        size: Width and height in pixels.
        parameters: In the order of the model.
    """

    model: str
    size: tuple[int, int]
    parameters: tuple[float, ...]


@dataclass(frozen=True)
class ColmapImage:
    """A placed image.

    Attributes:
        name: Path relative to the folder of images.
        camera_id: Key of its camera.
        quaternion: Of `cam_from_world`, (w, x, y, z), unit length.
        translation: Of `cam_from_world`.
    """

    name: str
    camera_id: int
    quaternion: tuple[float, float, float, float]
    translation: tuple[float, float, float]


@dataclass(frozen=True)
class ColmapModel:
    """Cameras, images and points; which image saw which point is not kept.

    Attributes:
        cameras: By their number.
        images: By their number.
        points: In the world.
        colors: sRGB of the points.
    """

    cameras: dict[int, ColmapCamera]
    images: dict[int, ColmapImage]
    points: Float64[np.ndarray, "points 3"]
    colors: UInt8[np.ndarray, "points 3"]
