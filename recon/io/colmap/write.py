"""Models written in either form: cameras without distortion, points without what saw them."""

import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from recon.errors import ExportError
from recon.geometry.se3 import quat_from_rotation
from recon.io.atomic import atomic_write
from recon.io.colmap.model import CAMERA_MODELS, ColmapCamera, ColmapImage, ColmapModel
from recon.io.colmap.read_binary import CAMERA, COUNT, IMAGE, POINT
from recon.types import Cameras

# COLMAP's mark for a point whose error was not measured.
NO_ERROR = -1.0


def model_of_cameras(
    cameras: Cameras,
    names: Sequence[str],
    points: Float[Tensor, "points 3"] | None = None,
    colors: UInt8[Tensor, "points 3"] | None = None,
) -> ColmapModel:
    """A model of pinhole cameras; images of equal intrinsics and size share a camera.

    Args:
        cameras: One for each name.
        names: Paths of the images relative to the folder of images, with forward slashes.
        points: Sparse points in the world.
        colors: Their sRGB colours; grey where they are not known.

    Raises:
        ExportError: Names and cameras do not match, or a name cannot stand in a model.
        GeometryError: A camera is impossible.
    """
    cameras.validate()
    if len(names) != len(cameras) or len(set(names)) != len(names):
        raise ExportError(f"{len(cameras)} cameras have {len(set(names))} distinct names, expected one each")
    numbers: dict[ColmapCamera, int] = {}
    images = {}
    quaternions = quat_from_rotation(cameras.cam_from_world[:, :3, :3].double().cpu())
    for i, name in enumerate(names):
        if not name or name != name.strip() or any(c in name for c in "\0\r\n"):
            raise ExportError(f"{name!r} cannot be the name of an image in a COLMAP model")
        K, size = cameras.K[i].tolist(), cameras.size[i].tolist()
        camera = ColmapCamera("PINHOLE", (size[0], size[1]), (K[0][0], K[1][1], K[0][2], K[1][2]))
        number = numbers.setdefault(camera, len(numbers) + 1)
        w, x, y, z = quaternions[i].tolist()
        tx, ty, tz = cameras.cam_from_world[i, :3, 3].tolist()
        images[i + 1] = ColmapImage(name, number, (w, x, y, z), (tx, ty, tz))
    positions = np.zeros((0, 3)) if points is None else points.detach().double().cpu().numpy()
    shades = np.full(positions.shape, 128, np.uint8) if colors is None else colors.cpu().numpy()
    return ColmapModel({number: camera for camera, number in numbers.items()}, images, positions, shades)


def write_model(folder: Path, model: ColmapModel, *, binary: bool = True) -> list[Path]:
    """Write `cameras`, `images` and `points3D` into an existing folder, which by custom is `sparse/0`.

    Args:
        folder: Takes the three files.
        model: What they hold.
        binary: .bin if True, else .txt.

    Returns:
        The files.

    Raises:
        ExportError: A file cannot be written; or a name holds a blank, at which COLMAP would cut it in a text file.
    """
    cut = [image.name for image in model.images.values() if len(image.name.split()) != 1]
    if cut and not binary:
        raise ExportError(f"{cut[0]!r} cannot stand in a text model", hint="write the binary form")
    writers = _BINARY if binary else _TEXT
    files = []
    for name, records in writers.items():
        path = folder / f"{name}{'.bin' if binary else '.txt'}"
        with atomic_write(path) as temporary, temporary.open("wb") as out:
            out.writelines(records(model))
        files.append(path)
    return files


def _binary_cameras(model: ColmapModel) -> Iterator[bytes]:
    yield COUNT.pack(len(model.cameras))
    for number, camera in model.cameras.items():
        yield CAMERA.pack(number, CAMERA_MODELS[camera.model][0], *camera.size)
        yield struct.pack(f"<{len(camera.parameters)}d", *camera.parameters)


def _binary_images(model: ColmapModel) -> Iterator[bytes]:
    yield COUNT.pack(len(model.images))
    for number, image in model.images.items():
        yield IMAGE.pack(number, *image.quaternion, *image.translation, image.camera_id)
        yield image.name.encode() + b"\0" + COUNT.pack(0)


def _binary_points(model: ColmapModel) -> Iterator[bytes]:
    yield COUNT.pack(len(model.points))
    for i, (point, color) in enumerate(zip(model.points.tolist(), model.colors.tolist(), strict=True)):
        yield POINT.pack(i + 1, *point, *color, NO_ERROR, 0)


def _text_cameras(model: ColmapModel) -> Iterator[bytes]:
    yield b"# CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]\n"
    for number, camera in model.cameras.items():
        yield _line(number, camera.model, *camera.size, *camera.parameters)


def _text_images(model: ColmapModel) -> Iterator[bytes]:
    yield b"# IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME\n# POINTS2D[] as (X, Y, POINT3D_ID)\n"
    for number, image in model.images.items():
        yield _line(number, *image.quaternion, *image.translation, image.camera_id, image.name) + b"\n"


def _text_points(model: ColmapModel) -> Iterator[bytes]:
    yield b"# POINT3D_ID, X, Y, Z, R, G, B, ERROR, TRACK[] as (IMAGE_ID, POINT2D_IDX)\n"
    for i, (point, color) in enumerate(zip(model.points.tolist(), model.colors.tolist(), strict=True)):
        yield _line(i + 1, *point, *color, NO_ERROR)


def _line(*words: int | float | str) -> bytes:
    """Words as text; `repr` of a float gives all its digits."""
    return (" ".join(word if isinstance(word, str) else repr(word) for word in words) + "\n").encode()


_Writer = Callable[[ColmapModel], Iterator[bytes]]
_BINARY: dict[str, _Writer] = {"cameras": _binary_cameras, "images": _binary_images, "points3D": _binary_points}
_TEXT: dict[str, _Writer] = {"cameras": _text_cameras, "images": _text_images, "points3D": _text_points}
