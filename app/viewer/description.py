"""What the page has to know about a scene besides its Gaussians."""

import math
from typing import Any

import torch

from recon.errors import GeometryError
from recon.io.scene_folder import SavedScene
from recon.render.orbits import FIELD_OF_VIEW_DEG, median_depths, orbit, ring_around, up_for_paths
from recon.types import Cameras

_SIZE = (960, 540)


def describe(scene: SavedScene) -> dict[str, Any]:
    """Name, size, up, the cameras in OpenCV axes, and how far away things are; ready for JSON.

    A bare file has one camera, which sees the scene whole, and no photographs.
    """
    up = up_for_paths(scene.cameras, scene.up)
    cameras = scene.cameras if scene.cameras is not None else _overview(scene, up)
    names = ["overview"] if scene.record is None else list(scene.record.names)
    try:
        depths = median_depths(scene.gaussians, cameras)
    except GeometryError:  # cameras that see nothing are shown all the same
        depths = torch.ones(len(cameras), dtype=torch.float64)
    fields = zip(names, cameras.world_from_cam, cameras.K, cameras.size, depths, strict=True)
    return {
        "name": scene.name,
        "num_gaussians": len(scene.gaussians),
        "up": up.tolist(),
        "has_photographs": scene.cameras is not None,
        "cameras": [
            {
                "name": name,
                "world_from_cam": world_from_cam.tolist(),
                "focal": [float(K[0, 0]), float(K[1, 1])],
                "center": [float(K[0, 2]), float(K[1, 2])],
                "size": size.tolist(),
                "depth": float(depth),
            }
            for name, world_from_cam, K, size, depth in fields
        ],
    }


def _overview(scene: SavedScene, up: torch.Tensor) -> Cameras:
    width, height = _SIZE
    focal = 0.5 * height / math.tan(math.radians(FIELD_OF_VIEW_DEG) / 2)
    K = torch.tensor([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    return orbit(ring_around(scene.gaussians, up), 1, K, torch.tensor(_SIZE))
