"""Photographs of a COLMAP model, with the cameras that it gives them."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float64
from torch import Tensor

from recon.errors import FormatError
from recon.geometry.se3 import rotation_from_quat
from recon.io.colmap.find import find_model, image_folders, model_suffix
from recon.io.colmap.lens import lens_of
from recon.io.colmap.model import ColmapImage, ColmapModel
from recon.io.colmap.read import read_model
from recon.io.inside import find_all, find_inside
from recon.io.limits import DEFAULT_LIMITS, Limits
from recon.io.names import natural_key, unique_names
from recon.io.photographs.given_poses import given_poses
from recon.io.photographs.image_folder import require_count, spread
from recon.io.photographs.images import load_photograph
from recon.io.photographs.lens import Lens, fit_camera
from recon.types import Photograph, PoseEstimate


def read_colmap(
    folder: Path, *, limits: Limits = DEFAULT_LIMITS, max_views: int | None = None
) -> tuple[list[Photograph], PoseEstimate]:
    """Photographs in natural order of their names, the cameras given for them, and the sparse points.

    COLMAP ignores EXIF orientation, so its cameras are taken to describe the pictures as they are stored.

    Args:
        folder: Holds the model, or `sparse/0` with the model; images are looked for in `images` and in it.
        limits: Bounds on number and size.
        max_views: Keep at most this many images, evenly spread; None for all.

    Raises:
        InputError: Photographs are missing, or named outside the folder.
        FormatError: There is no model, a file of it is damaged, or a camera is not a pinhole with k1, k2, p1, p2.
        GeometryError: A pose is impossible, or a photograph has another shape than its camera.
        LimitError: There are too many images, or a file is too large.
    """
    model, images, paths = _read(folder, limits, max_views)
    photographs, fitted = [], []
    for name, image, path in zip(unique_names(p.name for p in paths), images, paths, strict=True):
        photograph = replace(load_photograph(path, limits=limits), name=name, camera_id=f"colmap {image.camera_id}")
        where = f"{folder}: image {image.name[:80]!r}"
        lens = lens_of(where, model.cameras[image.camera_id])
        fitted.append(fit_camera(where, lens, _cam_from_world(image), photograph, describes="stored"))
        photographs.append(photograph)
    points, colors = torch.from_numpy(model.points).float(), torch.from_numpy(model.colors)
    return photographs, given_poses(photographs, fitted, "given by COLMAP", points, colors)


def load_colmap_images(
    folder: Path, *, limits: Limits = DEFAULT_LIMITS, max_views: int | None = None
) -> list[Photograph]:
    """The photographs that a model names, without their poses; args and errors as `read_colmap`."""
    _, _, paths = _read(folder, limits, max_views)
    names = unique_names(p.name for p in paths)
    return [replace(load_photograph(p, limits=limits), name=name) for p, name in zip(paths, names, strict=True)]


@dataclass(frozen=True)
class PosedFile:
    """An image of a model, not decoded.

    Attributes:
        path: The file.
        name: As the model calls it.
        lens: Of the picture as it is stored.
        cam_from_world: OpenCV axes, of the picture as it is stored.
    """

    path: Path
    name: str
    lens: Lens
    cam_from_world: Float64[Tensor, "4 4"]


def posed_files(folder: Path, *, limits: Limits = DEFAULT_LIMITS) -> list[PosedFile]:
    """The images of a model in natural order of their names; args and errors as `read_colmap`."""
    model, images, paths = _read(folder, limits, None, with_points=False)
    return [
        PosedFile(
            path,
            image.name,
            lens_of(f"{folder}: image {image.name[:80]!r}", model.cameras[image.camera_id]),
            _cam_from_world(image),
        )
        for image, path in zip(images, paths, strict=True)
    ]


def model_name(folder: Path) -> str:
    """The model of a folder in words, e.g. "COLMAP model (binary)"."""
    found = find_model(folder)
    return "COLMAP model (binary)" if found and model_suffix(found) == ".bin" else "COLMAP model (text)"


def _read(
    folder: Path, limits: Limits, max_views: int | None, *, with_points: bool = True
) -> tuple[ColmapModel, list[ColmapImage], list[Path]]:
    place = find_model(folder)
    if place is None:
        raise FormatError(f"{folder}: holds no COLMAP model", hint="expected sparse/0 with cameras and images")
    model = read_model(place, limits=limits, with_points=with_points)
    images = sorted(model.images.values(), key=lambda image: natural_key(image.name))
    images = [images[i] for i in spread(len(images), max_views)]
    require_count(len(images), limits)
    names = [image.name for image in images]
    found = [_find_image(folder, name) for name in names]
    return model, images, find_all(str(folder), names, found)


def _find_image(folder: Path, name: str) -> Path | None:
    candidates = (find_inside(str(folder), place, name) for place in image_folders(folder))
    return next((path for path in candidates if path is not None), None)


def _cam_from_world(image: ColmapImage) -> Float64[Tensor, "4 4"]:
    quaternion = torch.tensor(image.quaternion, dtype=torch.float64)
    matrix = torch.eye(4, dtype=torch.float64)
    matrix[:3, :3] = rotation_from_quat(quaternion / quaternion.norm())
    matrix[:3, 3] = torch.tensor(image.translation, dtype=torch.float64)
    return matrix
