"""A COLMAP model of two photographs, from their relative pose."""

from collections.abc import Sequence

import numpy as np
import pycolmap
from jaxtyping import Float

from recon.sfm.epipolar import depths, parallax_deg
from recon.sfm.match_graph import MatchGraph, Pair
from recon.sfm.support import rays
from recon.sfm.two_view import RelativePose
from recon.sfm.workspace import Workspace, image_index

_MIN_PARALLAX_DEG = 0.5


def two_view_model(graph: MatchGraph, workspace: Workspace, pair: Pair, pose: RelativePose) -> pycolmap.Reconstruction:
    """The first camera at the origin, the second at distance 1, and the explained matches triangulated.

    The model holds all matched photographs; only the two of the pair are registered.
    """
    model = pycolmap.Reconstruction()
    with pycolmap.Database.open(graph.database) as opened:
        model.load(pycolmap.DatabaseCache.create(opened, pycolmap.DatabaseCacheOptions()))
    for camera, lens in zip(_by_id(model.cameras), workspace.lenses, strict=True):
        camera.params = [pose.focal_factor * lens.expected_focal_px, *camera.params[1:3], 0.0]
    by_index = {image_index(image.name): image for image in model.images.values()}
    images = [by_index[pair.first], by_index[pair.second]]
    poses = [pycolmap.Rigid3d(), pycolmap.Rigid3d(pycolmap.Rotation3d(pose.rotation), pose.translation)]
    for image, cam_from_world in zip(images, poses, strict=True):
        model.frame(image.frame_id).set_cam_from_world(image.camera_id, cam_from_world)
        model.register_frame(image.frame_id)
    _triangulate(model, images, pair, pose)
    return model


def _by_id(cameras: "pycolmap.CameraMap") -> list[pycolmap.Camera]:
    return [cameras[i] for i in sorted(cameras)]


def _triangulate(
    model: pycolmap.Reconstruction, images: Sequence[pycolmap.Image], pair: Pair, pose: RelativePose
) -> None:
    first_rays, second_rays = (
        rays(model.camera(image.camera_id), px)
        for image, px in zip(images, (pair.first_px, pair.second_px), strict=True)
    )
    points = _midpoints(pose, first_rays, second_rays)
    wide = parallax_deg(pose.rotation, first_rays, second_rays) >= _MIN_PARALLAX_DEG
    used: set[tuple[int, int]] = set()
    for k in np.flatnonzero(pose.inliers & wide):
        seen = [(image.image_id, int(row)) for image, row in zip(images, pair.keypoints[k], strict=True)]
        if used.isdisjoint(seen):
            track = pycolmap.Track()
            for image_id, row in seen:
                track.add_element(image_id, row)
            model.add_point3D(points[k], track)
            used.update(seen)


def _midpoints(
    pose: RelativePose, first_rays: Float[np.ndarray, "matches 3"], second_rays: Float[np.ndarray, "matches 3"]
) -> Float[np.ndarray, "matches 3"]:
    """Midpoints of the shortest segments between the rays, in the frame of the first camera."""
    first, second = depths(pose.rotation, pose.translation, first_rays, second_rays)
    on_second = (second[:, None] * second_rays - pose.translation) @ pose.rotation
    return (first[:, None] * first_rays + on_second) / 2
