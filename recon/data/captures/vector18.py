"""The 18 numbers in which RealEstate10K states a camera.

`fx fy cx cy` as fractions of width and height, two zeros, and the upper three rows of the world-to-camera matrix, row
by row, with OpenCV axes (https://google.github.io/realestate10k/download.html).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from recon.data.captures.checks import IMPOSSIBLE_CAMERA
from recon.errors import GeometryError, UnusableCaptureError
from recon.io.photographs.headers import PictureHeader
from recon.io.photographs.lens import Lens, fit_camera
from recon.types import Cameras

NUM = 18


def cameras_of_vectors(where: str, vectors: Float[Tensor, "views 18"], headers: Sequence[PictureHeader]) -> Cameras:
    """Cameras in pixels of the pictures.

    The numbers describe the pictures as they are stored; where EXIF says that one is to be turned, so is its camera.

    Args:
        where: Beginning of every error message.
        vectors: One for each picture.
        headers: Of the pictures.

    Raises:
        UnusableCaptureError: EXIF says that a picture is to be mirrored.
    """
    size = torch.tensor([header.size for header in headers]).reshape(-1, 2)
    lens = vectors[:, :4].double() * size.double().repeat(1, 2)
    K = torch.eye(3, dtype=torch.float64).repeat(len(vectors), 1, 1)
    K[:, 0, 0], K[:, 1, 1], K[:, 0, 2], K[:, 1, 2] = lens.unbind(dim=1)
    pose = torch.eye(4, dtype=vectors.dtype).repeat(len(vectors), 1, 1)
    pose[:, :3] = vectors[:, 6:].unflatten(1, (3, 4))
    K, pose = K.float(), pose.float()
    for i, header in enumerate(headers):
        if header.orientation != 1:
            K[i], pose[i] = _turned(f"{where}, frame {i}", vectors[i].double(), header)
    return Cameras(pose, K, size)


def vectors_of_cameras(cameras: Cameras) -> Float[Tensor, "views 18"]:
    """The 18 numbers of each camera, single precision."""
    K, size = cameras.K.double(), cameras.size.double()
    lens = torch.stack([K[:, 0, 0], K[:, 1, 1], K[:, 0, 2], K[:, 1, 2]], dim=1) / size.repeat(1, 2)
    pose = cameras.cam_from_world[:, :3].double().flatten(1)
    return torch.cat([lens, torch.zeros_like(size), pose], dim=1).float()


def _turned(
    where: str, vector: Float[Tensor, "18"], header: PictureHeader
) -> tuple[Float[Tensor, "3 3"], Float[Tensor, "4 4"]]:
    """Intrinsics and pose of the upright picture from the numbers for the stored one."""
    width, height = header.stored_size
    fx, fy, cx, cy = (vector[:4] * torch.tensor([width, height, width, height])).tolist()
    pose = torch.eye(4, dtype=torch.float64)
    pose[:3] = vector[6:].reshape(3, 4)
    try:
        fitted = fit_camera(
            where, Lens((float(width), float(height)), (fx, fy), (cx, cy)), pose, header, describes="stored"
        )
    except GeometryError as error:
        raise UnusableCaptureError(IMPOSSIBLE_CAMERA, error.message, hint=error.hint) from error
    return fitted.K, fitted.cam_from_world.float()
