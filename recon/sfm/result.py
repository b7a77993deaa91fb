"""From a COLMAP model to a pose estimate in the photographs' pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pycolmap
import torch
from jaxtyping import Float

from recon.sfm.support import registered_images
from recon.types import Cameras, Photograph

_MAX_POINT_ERROR_PX = 2.0


@dataclass(frozen=True)
class Observations:
    """What one photograph sees of the model.

    Attributes:
        depths: Depth of each point in the camera, in units of the model.
        errors_px: Reprojection errors in pixels of the photograph.
    """

    depths: Float[np.ndarray, " seen"]
    errors_px: Float[np.ndarray, " seen"]


def observe(model: pycolmap.Reconstruction, image: pycolmap.Image, photograph: Photograph) -> Observations:
    """Depths and reprojection errors of the points that a registered photograph sees."""
    seen = image.get_observation_points2D()
    world = np.array([model.point3D(point.point3D_id).xyz for point in seen]).reshape(-1, 3)
    measured = np.array([point.xy for point in seen]).reshape(-1, 2)
    camera, pose = model.camera(image.camera_id), image.cam_from_world()
    cam = world @ pose.rotation.matrix().T + pose.translation
    projected = np.asarray(camera.img_from_cam(cam))
    errors_px = np.linalg.norm((projected - measured) * pixel_scale(camera, photograph), axis=1)
    return Observations(cam[:, 2], errors_px)


def pixel_scale(camera: pycolmap.Camera, photograph: Photograph) -> Float[np.ndarray, "2"]:
    """Pixels of the photograph for one of the reduced photograph, along x and y."""
    return np.array(photograph.size) / np.array([camera.width, camera.height])


def normalise_frame(model: pycolmap.Reconstruction, photographs: Sequence[Photograph]) -> None:
    """Make the first registered camera the identity, and the median depth that it sees 1."""
    index, first = next(iter(registered_images(model).items()))
    unit = float(np.median(observe(model, first, photographs[index]).depths))
    first_from_world = first.cam_from_world()
    model.transform(pycolmap.Sim3d(1 / unit, first_from_world.rotation, first_from_world.translation / unit))


def to_cameras(
    model: pycolmap.Reconstruction, photographs: Sequence[Photograph]
) -> tuple[Cameras, Float[torch.Tensor, "registered 4"]]:
    """Cameras and OpenCV distortion (k1, k2, p1, p2) of the registered photographs, in pixels of the photographs."""
    poses, intrinsics, distortion, sizes = [], [], [], []
    for index, image in registered_images(model).items():
        camera = model.camera(image.camera_id)
        focal_px, _, _, k1 = camera.params
        fx, fy = focal_px * pixel_scale(camera, photographs[index])
        width, height = photographs[index].size
        poses.append(np.concatenate([image.cam_from_world().matrix(), [[0, 0, 0, 1]]]))
        intrinsics.append([[fx, 0, width / 2], [0, fy, height / 2], [0, 0, 1]])
        distortion.append([k1, 0, 0, 0])
        sizes.append([width, height])
    cameras = Cameras(
        cam_from_world=torch.tensor(np.array(poses), dtype=torch.float32),
        K=torch.tensor(intrinsics, dtype=torch.float32),
        size=torch.tensor(sizes),
    )
    return cameras, torch.tensor(distortion, dtype=torch.float32)


def well_triangulated(model: pycolmap.Reconstruction) -> Float[torch.Tensor, "points 3"]:
    """Points with a small reprojection error; mapping has taken out those with a small angle between their rays."""
    kept = [point.xyz for _, point in sorted(model.points3D.items()) if point.error <= _MAX_POINT_ERROR_PX]
    return torch.tensor(np.array(kept).reshape(-1, 3), dtype=torch.float32)
