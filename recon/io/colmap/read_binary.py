"""The binary form: little-endian records without padding, each file led by a 64-bit count."""

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Float64, UInt8

from recon.errors import FormatError, InputError, LimitError
from recon.io.colmap.model import CAMERA_MODELS, MODEL_NAMES, ColmapCamera, ColmapImage
from recon.io.limits import Limits
from recon.io.names import MAX_PATH_BYTES

COUNT = struct.Struct("<Q")
CAMERA = struct.Struct("<IiQQ")  # id, model, width, height
IMAGE = struct.Struct("<I7dI")  # id, quaternion (w, x, y, z), translation, camera id
OBSERVATION_BYTES = 24  # x, y, point id
POINT = struct.Struct("<Q3d3BdQ")  # id, xyz, rgb, error, length of the track
TRACK_ELEMENT_BYTES = 8  # image id, index of the observation


def read_cameras(path: Path, limits: Limits) -> dict[int, ColmapCamera]:
    """Cameras by their number; errors as `recon.io.colmap.read.read_model`."""
    cameras = {}
    with _opened(path, limits) as cursor:
        for _ in range(cursor.count("cameras", CAMERA.size)):
            number, model_id, width, height = cursor.take(CAMERA)
            if model_id not in MODEL_NAMES:
                raise FormatError(f"{path}: camera {number} has model number {model_id}, which COLMAP does not define")
            model = MODEL_NAMES[model_id]
            parameters = cursor.take(struct.Struct(f"<{CAMERA_MODELS[model][1]}d"))
            cameras[number] = ColmapCamera(model, (width, height), parameters)
    return cameras


def read_images(path: Path, limits: Limits) -> dict[int, ColmapImage]:
    """Images by their number; errors as `recon.io.colmap.read.read_model`."""
    images = {}
    with _opened(path, limits) as cursor:
        for _ in range(cursor.count("images", IMAGE.size + 1 + COUNT.size)):
            number, *pose, camera_id = cursor.take(IMAGE)
            name = cursor.text()
            cursor.skip(cursor.count("observations", OBSERVATION_BYTES) * OBSERVATION_BYTES)
            images[number] = ColmapImage(name, camera_id, tuple(pose[:4]), tuple(pose[4:]))
    return images


def read_points(path: Path, limits: Limits) -> tuple[Float64[np.ndarray, "points 3"], UInt8[np.ndarray, "points 3"]]:
    """Points and their colours; errors as `recon.io.colmap.read.read_model`."""
    with _opened(path, limits) as cursor:
        num = cursor.count("points", POINT.size)
        if num > limits.max_sparse_points:
            raise LimitError(f"{path}: {num:,} points, at most {limits.max_sparse_points:,} are allowed")
        points, colors = np.empty((num, 3)), np.empty((num, 3), np.uint8)
        for i in range(num):
            _, x, y, z, red, green, blue, _, track = cursor.take(POINT)
            cursor.skip(track * TRACK_ELEMENT_BYTES)
            points[i], colors[i] = (x, y, z), (red, green, blue)
    return points, colors


class _Cursor:
    """Reads forward through bytes and never beyond their end."""

    def __init__(self, path: Path, data: mmap.mmap | bytes):
        self.path, self.data, self.position = path, data, 0

    def take(self, record: struct.Struct) -> tuple:
        """The next record."""
        start = self.position
        self.skip(record.size)
        return record.unpack_from(self.data, start)

    def skip(self, num_bytes: int) -> None:
        """Go on by this many bytes."""
        if num_bytes > len(self.data) - self.position:
            raise FormatError(f"{self.path}: ends inside a record, at byte {len(self.data):,}")
        self.position += num_bytes

    def count(self, what: str, least_bytes: int) -> int:
        """The next count of records, which are at least this large."""
        (num,) = self.take(COUNT)
        room = (len(self.data) - self.position) // least_bytes
        if num > room:
            raise FormatError(f"{self.path}: states {num:,} {what} where the file has room for {room:,}")
        return num

    def text(self) -> str:
        """The text up to the next zero byte."""
        end = self.data.find(b"\0", self.position, self.position + MAX_PATH_BYTES + 1)
        if end < 0:
            raise FormatError(f"{self.path}: an image has no name of at most {MAX_PATH_BYTES} bytes")
        try:
            name = self.data[self.position : end].decode()
        except UnicodeDecodeError as error:
            raise FormatError(f"{self.path}: the name of an image is not UTF-8 ({error})") from error
        self.position = end + 1
        return name


@contextmanager
def _opened(path: Path, limits: Limits) -> Iterator[_Cursor]:
    try:
        with path.open("rb") as file:
            num_bytes = path.stat().st_size
            if num_bytes > limits.max_model_bytes:
                raise LimitError(f"{path}: {num_bytes:,} bytes, at most {limits.max_model_bytes:,} are allowed")
            if num_bytes == 0:
                raise FormatError(f"{path}: is empty")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                cursor = _Cursor(path, data)
                yield cursor
                if cursor.position != num_bytes:
                    raise FormatError(f"{path}: {num_bytes - cursor.position:,} bytes follow the last record")
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read ({error.strerror or error})") from error
