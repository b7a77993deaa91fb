"""From posed photographs to views."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from recon.errors import PoseError
from recon.io.photographs.canvas import to_view_set
from recon.io.photographs.undistort import undistort
from recon.types import Photograph, PoseEstimate, ViewSet


def pose_views(
    photographs: Sequence[Photograph], pose: PoseEstimate, *, resolution: int, multiple: int = 16
) -> ViewSet:
    """The photographs that have a pose, undistorted, on one canvas with their cameras.

    `crop_from_original` of an undistorted view starts from the undistorted photograph at the size of its file.

    Args:
        photographs: Those that the poses belong to.
        pose: Cameras in pixels of the photographs.
        resolution: Long side of the canvas in pixels.
        multiple: Divides both sides of the canvas.

    Raises:
        PoseError: No photograph has a pose.
        GeometryError: A distortion folds its picture.
    """
    pose.validate(list(photographs))
    if not pose.registered:
        raise PoseError(f"none of {len(photographs)} photographs has a pose")
    pinholes = [
        undistort(photographs[index], K, distortion)
        for index, K, distortion in zip(pose.registered, pose.cameras.K, pose.distortion, strict=True)
    ]
    cameras = replace(pose.cameras, K=torch.stack([K for _, K in pinholes]))
    return to_view_set([p for p, _ in pinholes], resolution=resolution, multiple=multiple, cameras=cameras)
