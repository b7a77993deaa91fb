"""Lens distortion taken out of photographs."""

from dataclasses import replace

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import GeometryError
from recon.types import Photograph

# How much the focal length may change before the distortion is taken for wrong.
PLAUSIBLE_ZOOM = (0.2, 5.0)
# From OpenCV's pixel coordinates to ours.
HALF = torch.tensor([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]], dtype=torch.float64)


def undistort(
    photograph: Photograph, K: Float[Tensor, "3 3"], distortion: Float[Tensor, "4"]
) -> tuple[Photograph, Float[Tensor, "3 3"]]:
    """The photograph that a pinhole camera would have taken, of the same size.

    The new intrinsics are chosen so that every pixel comes from inside the photograph (OpenCV's alpha = 0).

    Args:
        photograph: As the lens drew it.
        K: Its intrinsics, in pixels of `photograph.pixels`.
        distortion: OpenCV k1, k2, p1, p2; zeros leave everything as it is.

    Returns:
        The photograph with the new focal length, and its intrinsics.

    Raises:
        GeometryError: The distortion folds the picture, so that no pinhole view of it exists.
    """
    if not bool(distortion.any()):
        return photograph, K
    new_K = pinhole_of(photograph.name, photograph.size, K, distortion)
    # OpenCV counts from the centre of the first pixel, we from its corner.
    K_cv, new_K_cv = ((matrix.double().cpu() - HALF).numpy() for matrix in (K, new_K))
    coefficients = distortion.double().cpu().numpy()
    maps = cv2.initUndistortRectifyMap(K_cv, coefficients, None, new_K_cv, photograph.size, cv2.CV_32FC1)  # pyright: ignore[reportCallIssue, reportArgumentType]
    pixels = cv2.remap(photograph.pixels, *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return replace(photograph, pixels=pixels, focal_px=float(new_K[0, 0])), new_K


def pinhole_of(
    name: str, size: tuple[int, int], K: Float[Tensor, "3 3"], distortion: Float[Tensor, "4"]
) -> Float[Tensor, "3 3"]:
    """Intrinsics of the picture that `undistort` would make.

    Args:
        name: Beginning of the error message.
        size: Width and height of the picture.
        K: Its intrinsics, in pixels of it.
        distortion: OpenCV k1, k2, p1, p2; zeros leave everything as it is.

    Raises:
        GeometryError: The distortion folds the picture, so that no pinhole view of it exists.
    """
    if not bool(distortion.any()):
        return K
    K_cv, coefficients = (K.double().cpu() - HALF).numpy(), distortion.double().cpu().numpy()
    new_K_cv, _ = cv2.getOptimalNewCameraMatrix(K_cv, coefficients, size, 0, size)
    zoom = np.array([new_K_cv[0, 0] / K_cv[0, 0], new_K_cv[1, 1] / K_cv[1, 1]])
    plausible = bool(np.all((zoom > PLAUSIBLE_ZOOM[0]) & (zoom < PLAUSIBLE_ZOOM[1])))
    if not (plausible and _is_one_to_one(size, new_K_cv, coefficients)):
        raise GeometryError(
            f"{name}: distortion k1, k2, p1, p2 = {distortion.tolist()} folds the picture",
            hint="check the coefficients, or undistort the photographs with the program that calibrated them",
        )
    return (torch.from_numpy(new_K_cv) + HALF).to(K)


def _is_one_to_one(size: tuple[int, int], new_K: np.ndarray, coefficients: np.ndarray) -> bool:
    """Whether r (1 + k1 r^2 + k2 r^4) grows with r all the way to the corners of the new picture."""
    corners = np.array([[x, y, 1.0] for x in (0, size[0]) for y in (0, size[1])])
    rays = np.linalg.solve(new_K, corners.T)
    radius = np.linspace(0, np.hypot(rays[0], rays[1]).max(), 100)
    k1, k2 = coefficients[:2]
    return bool((1 + 3 * k1 * radius**2 + 5 * k2 * radius**4 > 0).all())
