"""What the scene viewer shows of a job: Gaussians and, beside them, `WHAT.view.json` with cameras and up."""

from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from app.viewer.description import describe_views
from app.web.results.view_files import view_file
from recon.geometry.spherical_harmonics import C0
from recon.io.json_file import write_json
from recon.types import Cameras, Gaussians

POINT_OPACITY = 0.85
POINT_SIZE = 0.003
"""Deviation of a point that stands for a Gaussian, over the median distance between the points and the cameras."""


def write_view(
    folder: Path,
    what: str,
    gaussians: Gaussians,
    cameras: Cameras,
    names: Sequence[str],
    *,
    title: str,
    up: tuple[float, float, float] | None = None,
    pictures: Sequence[str] = (),
) -> str:
    """Write the description of a view; the name of the file.

    Args:
        folder: An existing one.
        what: Begins the name of the file.
        gaussians: What is shown.
        cameras: Of the photographs.
        names: Of the photographs.
        title: Of the view, for people.
        up: World direction that is up; None takes it from the cameras.
        pictures: The photograph of each camera, relative to `folder`, if there are any.
    """
    description = describe_views(title, gaussians, cameras, names, up)
    write_json(folder / view_file(what), description | {"pictures": list(pictures)})
    return view_file(what)


def points_as_gaussians(
    points: Float[Tensor, "points 3"], colors: Float[Tensor, "points 3"], cameras: Cameras
) -> Gaussians:
    """Small balls in place of sparse points, so that the viewer of Gaussians shows them too.

    Args:
        points: World coordinates.
        colors: sRGB, 0..1.
        cameras: Their distance from the points sets the size of the balls.
    """
    centers = cameras.world_from_cam[:, :3, 3]
    distance = (points.double() - centers.double().mean(0)).norm(dim=-1).median()
    num = len(points)
    return Gaussians(
        means=points.float(),
        scales=torch.full((num, 3), POINT_SIZE * float(distance)),
        quats=torch.tensor([1.0, 0.0, 0.0, 0.0]).repeat(num, 1),
        opacities=torch.full((num,), POINT_OPACITY),
        sh=((colors.float() - 0.5) / C0)[:, None],
    )
