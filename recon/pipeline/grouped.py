"""Gaussians of many views: the network looks at one group after the other, and what each adds is merged."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from recon.errors import GeometryError
from recon.pipeline.merging import merge
from recon.pipeline.protocols import GaussianReconstructor
from recon.types import Gaussians, ViewSet


def reconstruct_groups(
    views: ViewSet,
    groups: tuple[tuple[int, ...], ...],
    reconstructor: GaussianReconstructor,
    points: Float[Tensor, "points 3"] | None,
    progress: Callable[[str, float], None],
) -> Gaussians:
    """One scene from all groups.

    Args:
        views: All views, with cameras.
        groups: Indices of the views that the network sees together.
        reconstructor: The network.
        points: Sparse surface points in the world, if known.
        progress: Told which group it is at, if there are several, and which part of the groups is done.

    Raises:
        GeometryError: The network made no Gaussians, or some that hold no meaning.
    """
    scene: Gaussians | None = None
    for number, group in enumerate(groups, 1):
        if len(groups) > 1:
            progress(f"group {number} of {len(groups)}: {len(group)} views", (number - 1) / len(groups))
        seen = views[list(group)]
        made = reconstructor.reconstruct(seen, points=points).validate()
        scene = merge(scene, made, seen)
    if scene is None or not len(scene):
        raise GeometryError(
            f"the network {reconstructor.name} made no Gaussians from {len(views)} views",
            hint="look whether the photographs show the same place and the poses fit",
        )
    return scene
