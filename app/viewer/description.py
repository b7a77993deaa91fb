"""What the page has to know about a scene besides its Gaussians."""

import math
from collections.abc import Sequence
from typing import Any

import torch

from recon.errors import GeometryError
from recon.io.scene_folder import SavedScene
from recon.render.orbits import FIELD_OF_VIEW_DEG, median_depths, orbit, ring_around, up_for_paths
from recon.types import Cameras, Gaussians

_SIZE = (960, 540)


def describe(scene: SavedScene) -> dict[str, Any]:
    """A saved scene as `describe_views` tells it; a bare file has no photographs, and one camera that sees it whole."""
    if scene.cameras is not None and scene.record is not None:
        return describe_views(scene.name, scene.gaussians, scene.cameras, scene.record.names, scene.up)
    up = up_for_paths(scene.cameras, scene.up)
    cameras = _overview(scene, up)
    whole = describe_views(
        scene.name, scene.gaussians, cameras, ["overview"], (up[0].item(), up[1].item(), up[2].item())
    )
    return whole | {"has_photographs": False}


def describe_views(
    name: str,
    gaussians: Gaussians,
    cameras: Cameras,
    names: Sequence[str],
    up: tuple[float, float, float] | None,
) -> dict[str, Any]:
    """Name, size, up, the cameras in OpenCV axes, and how far away things are; ready for JSON.

    Args:
        name: Of the scene, for people.
        gaussians: The scene.
        cameras: Of the photographs.
        names: Of the photographs.
        up: World direction that is up; None takes it from the cameras.
    """
    try:
        depths = median_depths(gaussians, cameras)
    except GeometryError:  # cameras that see nothing are shown all the same
        depths = torch.ones(len(cameras), dtype=torch.float64)
    fields = zip(names, cameras.world_from_cam, cameras.K, cameras.size, depths, strict=True)
    return {
        "name": name,
        "num_gaussians": len(gaussians),
        "up": up_for_paths(cameras, up).tolist(),
        "has_photographs": True,
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
