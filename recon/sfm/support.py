"""Judging a model by the matches that it explains, and taking out photographs that the matches contradict.

The reprojection error alone cannot tell a right model from a wrong one: a model that places photographs wrongly keeps
only the few points that happen to fit. The verified matches of all pairs are evidence that mapping cannot choose from.
"""

from dataclasses import dataclass

import numpy as np
import pycolmap
from jaxtyping import Float

from recon.sfm.epipolar import explained
from recon.sfm.match_graph import MatchGraph, Pair
from recon.sfm.workspace import image_index


@dataclass(frozen=True)
class Support:
    """Matches between photographs of a model.

    Attributes:
        explained: Weight of those that the model explains, of each pair (first, second).
        total: Their number, of each pair.
    """

    explained: dict[tuple[int, int], float]
    total: dict[tuple[int, int], int]

    @property
    def score(self) -> float:
        """Weight of all explained matches."""
        return sum(self.explained.values())

    def without(self, index: int) -> "Support":
        """The matches that are left when one photograph is taken out; the poses of the others do not change."""
        return Support(
            explained={pair: weight for pair, weight in self.explained.items() if index not in pair},
            total={pair: number for pair, number in self.total.items() if index not in pair},
        )

    def share_of(self, index: int) -> float:
        """Explained share of the matches of one photograph with the others of the model."""
        pairs = [pair for pair in self.total if index in pair]
        return sum(self.explained[p] for p in pairs) / max(1, sum(self.total[p] for p in pairs))


def registered_images(model: pycolmap.Reconstruction) -> dict[int, pycolmap.Image]:
    """Images of a model that have a pose, by index of the photograph, ascending."""
    found = {image_index(image.name): image for image in model.images.values() if image.has_pose}
    return dict(sorted(found.items()))


def measure_support(model: pycolmap.Reconstruction, graph: MatchGraph, max_error_px: float) -> Support:
    """What share of the verified matches between its photographs a model explains."""
    images = registered_images(model)
    pairs = [pair for pair in graph.pairs if pair.first in images and pair.second in images]
    return Support(
        explained={(p.first, p.second): _explained_weight(model, images, p, max_error_px) for p in pairs},
        total={(p.first, p.second): len(p) for p in pairs},
    )


def drop_unsupported(
    model: pycolmap.Reconstruction, graph: MatchGraph, *, max_error_px: float, min_support: float
) -> dict[int, float]:
    """Deregister, worst first, every photograph whose matches mostly contradict its pose.

    Returns:
        The supported share of each photograph taken out.
    """
    dropped = {}
    support = measure_support(model, graph, max_error_px)
    while images := registered_images(model):
        shares = {index: support.share_of(index) for index in images}
        worst = min(shares, key=lambda index: shares[index])
        if shares[worst] >= min_support:
            break
        model.deregister_frame(images[worst].frame_id)
        support = support.without(worst)
        dropped[worst] = shares[worst]
    return dropped


def rays(camera: pycolmap.Camera, points_px: Float[np.ndarray, "points 2"]) -> Float[np.ndarray, "points 3"]:
    """Undistorted viewing directions with z = 1."""
    undistorted = np.asarray(camera.cam_from_img(points_px))
    return np.concatenate([undistorted, np.ones((len(points_px), 1))], axis=1)


def _explained_weight(
    model: pycolmap.Reconstruction, images: dict[int, pycolmap.Image], pair: Pair, max_error_px: float
) -> float:
    first, second = images[pair.first], images[pair.second]
    cameras = [model.camera(image.camera_id) for image in (first, second)]
    second_from_first = second.cam_from_world() * first.cam_from_world().inverse()
    baseline = np.linalg.norm(second_from_first.translation)
    focal_px = float(np.mean([camera.mean_focal_length() for camera in cameras]))
    weights = explained(
        second_from_first.rotation.matrix(),
        second_from_first.translation / max(baseline, 1e-12),
        rays(cameras[0], pair.first_px),
        rays(cameras[1], pair.second_px),
        max_error_px / focal_px,
    )
    return float(np.nansum(weights))
