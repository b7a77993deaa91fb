"""A capture whose frames are picture files with lenses and poses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from recon.data.captures.capture import Capture
from recon.data.captures.checks import IMPOSSIBLE_CAMERA, CaptureChecks, check_cameras
from recon.data.captures.pictures import decode, header_of_file, read_picture
from recon.errors import GeometryError, UnusableCaptureError
from recon.io.photographs.headers import PictureHeader
from recon.io.photographs.lens import Describes, FittedCamera, Lens, fit_camera
from recon.io.photographs.undistort import pinhole_of, undistort
from recon.types import Cameras


@dataclass(frozen=True)
class FileFrame:
    """One frame.

    Attributes:
        path: The picture.
        lens: States the lens, given the header of the picture.
        cam_from_world: OpenCV axes.
        describes: Which picture lens and pose are for, the upright or the stored one, where its size leaves it open.
    """

    path: Path
    lens: Callable[[PictureHeader], Lens]
    cam_from_world: Float[Tensor, "4 4"]
    describes: Describes = "upright"


def capture_of_files(
    name: str,
    where: str,
    frames: Sequence[FileFrame],
    checks: CaptureChecks,
    *,
    timestamps: tuple[int, ...] = (),
    url: str = "",
) -> Capture:
    """A capture that reads the headers of its pictures now, and the pictures when asked.

    Distorted pictures are undistorted as they are decoded (`recon.io.photographs.undistort`); the cameras are those of
    the undistorted pictures, which keep their size.

    Args:
        name: Key of the capture.
        where: Beginning of every error message.
        frames: In order.
        checks: What is not used.
        timestamps: Microseconds, one for each frame, or empty.
        url: Of the video, or empty.

    Raises:
        UnusableCaptureError: See `recon.data.captures.checks`.
        FormatError: A lens is not described as a lens is.
    """
    headers = [header_of_file(frame.path) for frame in frames]
    fitted = [_fit(f"{where}, frame {i}", f, h) for i, (f, h) in enumerate(zip(frames, headers, strict=True))]
    pinholes = _pinholes(where, fitted, headers)
    cameras = Cameras(
        cam_from_world=_stack([camera.cam_from_world.float() for camera in fitted], 4),
        K=_stack(pinholes, 3),
        size=torch.tensor([header.size for header in headers], dtype=torch.int64).reshape(-1, 2),
    )

    def encoded(index: int) -> bytes:
        return read_picture(frames[index].path)

    distorted = any(bool(camera.distortion.any()) for camera in fitted)
    turned = any(header.orientation != 1 for header in headers)
    return Capture(
        name=name,
        cameras=check_cameras(where, cameras, checks),
        picture=partial(_picture, frames, fitted, headers),
        encoded=None if distorted or turned else encoded,
        timestamps=timestamps,
        url=url,
    )


def _picture(
    frames: Sequence[FileFrame], fitted: Sequence[FittedCamera], headers: Sequence[PictureHeader], index: int
) -> UInt8[np.ndarray, "height width 3"]:
    path, camera = frames[index].path, fitted[index]
    photograph = decode(read_picture(path), path, headers[index])
    return undistort(photograph, camera.K, camera.distortion)[0].pixels


def _fit(where: str, frame: FileFrame, header: PictureHeader) -> FittedCamera:
    try:
        return fit_camera(where, frame.lens(header), frame.cam_from_world, header, frame.describes)
    except GeometryError as error:
        raise UnusableCaptureError(IMPOSSIBLE_CAMERA, error.message, hint=error.hint) from error


def _pinholes(
    where: str, fitted: Sequence[FittedCamera], headers: Sequence[PictureHeader]
) -> list[Float[Tensor, "3 3"]]:
    """Intrinsics after undistortion; frames of one lens, which most are, share the work."""
    known: dict[object, Tensor] = {}
    found = []
    for camera, header in zip(fitted, headers, strict=True):
        key = (header.size, camera.K.numpy().tobytes(), camera.distortion.numpy().tobytes())
        if key not in known:
            try:
                known[key] = pinhole_of(where, header.size, camera.K, camera.distortion)
            except GeometryError as error:
                raise UnusableCaptureError(IMPOSSIBLE_CAMERA, error.message, hint=error.hint) from error
        found.append(known[key])
    return found


def _stack(matrices: list[Tensor], side: int) -> Float[Tensor, "views side side"]:
    return torch.stack(matrices) if matrices else torch.zeros(0, side, side)
