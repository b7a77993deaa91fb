"""Posed photographs in the transforms.json form of nerfstudio and instant-ngp.

Poses there are camera-to-world with OpenGL axes (x right, y up, z backwards); intrinsics are in pixels of an image of
`w` x `h`, and the centre of the first pixel is (0.5, 0.5).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from recon.errors import FormatError, GeometryError
from recon.geometry.se3 import invert_rigid
from recon.io.inside import find_all, find_inside
from recon.io.json_file import read_json, write_json
from recon.io.limits import DEFAULT_LIMITS, Limits
from recon.io.names import unique_names
from recon.io.photographs.given_poses import given_poses
from recon.io.photographs.image_folder import IMAGE_SUFFIXES, is_image_name, require_count, spread
from recon.io.photographs.images import load_photograph
from recon.io.photographs.lens import fit_camera
from recon.io.transforms_intrinsics import read_lens
from recon.types import Cameras, Photograph, PoseEstimate

OPENGL_FROM_OPENCV = torch.diag(torch.tensor([1.0, -1.0, -1.0, 1.0], dtype=torch.float64))
ROTATION_TOLERANCE = 1e-3


def read_transforms(
    path: Path, *, limits: Limits = DEFAULT_LIMITS, max_views: int | None = None
) -> tuple[list[Photograph], PoseEstimate]:
    """Photographs and the cameras given for them, in the frame and scale of the file.

    Args:
        path: The JSON file, or a folder that holds `transforms.json`.
        limits: Bounds on number and size.
        max_views: Keep at most this many frames, evenly spread; None for all.

    Raises:
        InputError: Photographs are missing, or named outside the folder of the file.
        FormatError: The file lacks a field, or states a camera model that is not a pinhole with k1, k2, p1, p2.
        GeometryError: A pose is not a rigid motion; the message names the frame.
        LimitError: There are too many frames, or a file is too large.
    """
    content, frames, paths = _read_frames(path, limits, max_views)
    path = path / "transforms.json" if path.is_dir() else path
    poses = [read_pose(path, frame) for frame in frames]

    photographs, fitted = [], []
    for name, frame, pose, image in zip(unique_names(p.name for p in paths), frames, poses, paths, strict=True):
        photograph = replace(load_photograph(image, limits=limits), name=name)
        where = f"{path}: frame {frame['file_path']}"
        lens = read_lens(where, content | frame, photograph.original_size)
        fitted.append(fit_camera(where, lens, pose, photograph))
        photographs.append(photograph)
    return photographs, given_poses(photographs, fitted, f"given by {path.name}")


def load_frames(path: Path, *, limits: Limits = DEFAULT_LIMITS, max_views: int | None = None) -> list[Photograph]:
    """The photographs that a file names; its poses are not looked at, so they may be wrong.

    Args and errors as `read_transforms`, but for the poses.
    """
    _, _, paths = _read_frames(path, limits, max_views)
    names = unique_names(p.name for p in paths)
    return [replace(load_photograph(p, limits=limits), name=name) for p, name in zip(paths, names, strict=True)]


def write_transforms(
    path: Path,
    cameras: Cameras,
    names: Sequence[str],
    *,
    fields: Mapping[str, Any] | None = None,
    frame_fields: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Write cameras without distortion, each with its own intrinsics.

    Args:
        path: The JSON file.
        cameras: One for each name.
        names: Paths of the images relative to the folder of the file, with forward slashes.
        fields: Further fields of the file.
        frame_fields: Further fields of each frame.

    Raises:
        ExportError: The file cannot be written.
    """
    cameras.validate()
    further = [{} for _ in names] if frame_fields is None else frame_fields
    opengl_world_from_cam = cameras.world_from_cam.double().cpu() @ OPENGL_FROM_OPENCV
    frames = [
        {
            "file_path": name,
            "w": int(size[0]),
            "h": int(size[1]),
            "fl_x": float(K[0, 0]),
            "fl_y": float(K[1, 1]),
            "cx": float(K[0, 2]),
            "cy": float(K[1, 2]),
            "transform_matrix": matrix,
            **more,
        }
        for name, size, K, matrix, more in zip(
            names, cameras.size, cameras.K, opengl_world_from_cam, further, strict=True
        )
    ]
    write_json(path, {"camera_model": "PINHOLE", **(fields or {}), "frames": frames})


def _read_frames(
    path: Path, limits: Limits, max_views: int | None
) -> tuple[dict[str, Any], list[dict[str, Any]], list[Path]]:
    """Content of the file, its chosen frames, and their image files."""
    path = path / "transforms.json" if path.is_dir() else path
    content = read_json(path, limits=limits)
    frames = content.get("frames")
    if not (isinstance(frames, list) and frames and all(isinstance(frame, dict) for frame in frames)):
        raise FormatError(f'{path}: "frames" is not a list of objects', hint="expected the form of transforms.json")
    frames = [frames[i] for i in spread(len(frames), max_views)]
    require_count(len(frames), limits)
    names = [_frame_name(path, frame) for frame in frames]
    return content, frames, find_all(str(path), names, [_find_photograph(path, name) for name in names])


def _frame_name(path: Path, frame: dict[str, Any]) -> str:
    name = frame.get("file_path")
    if not (isinstance(name, str) and name):
        raise FormatError(f'{path}: a frame has the "file_path" {name!r}, expected text')
    return name


def _find_photograph(path: Path, name: str) -> Path | None:
    """The file that a frame names, with any image suffix where the name has none; None if there is none."""
    suffixes = ("",) if is_image_name(name) else ("", *IMAGE_SUFFIXES)
    return find_inside(str(path), path.parent, name, suffixes)


def read_pose(path: Path, frame: dict[str, Any]) -> torch.Tensor:
    """OpenCV cam_from_world of one frame, float64."""
    where = f"{path}: frame {frame['file_path']}"
    try:
        matrix = torch.tensor(frame.get("transform_matrix"), dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise FormatError(f"{where}: transform_matrix is not made of numbers ({error})") from error
    if matrix.shape != (4, 4):
        raise FormatError(f"{where}: transform_matrix has shape {tuple(matrix.shape)}, expected 4x4")
    if not bool(torch.isfinite(matrix).all()):
        raise GeometryError(f"{where}: transform_matrix holds NaN or infinity", hint="remove this frame")
    if not torch.allclose(matrix[3], torch.tensor([0, 0, 0, 1], dtype=torch.float64), atol=1e-6):
        raise GeometryError(f"{where}: the last row is {matrix[3].tolist()}, expected [0, 0, 0, 1]")
    rotation = matrix[:3, :3]
    error = float((rotation @ rotation.T - torch.eye(3, dtype=torch.float64)).abs().max())
    if error > ROTATION_TOLERANCE:
        raise GeometryError(
            f"{where}: the 3x3 part is not a rotation (R R^T differs from identity by {error:.2g})",
            hint="scale or shear in a pose must be removed first",
        )
    if torch.linalg.det(rotation) < 0:
        raise GeometryError(
            f"{where}: the 3x3 part is a reflection (determinant -1)",
            hint="the axes are left-handed; expected OpenGL axes, x right, y up, z backwards",
        )
    # The nearest rotation: digits lost in the text would otherwise move the camera centre when inverted.
    left, _, right = torch.linalg.svd(rotation)
    matrix[:3, :3] = left @ right
    return invert_rigid(matrix @ OPENGL_FROM_OPENCV)
