"""How well camera poses agree, by the definitions that published tables use. All in float64.

Poses are compared relative to one another, so that the frame and the scale of the world do not matter. Two definitions
of the area under the recall curve are in use and give different numbers; both are here, under separate names.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import GeometryError
from recon.geometry.se3 import invert_rigid, rotation_angle_deg
from recon.geometry.umeyama import umeyama

STILL = 1e-9
"""Relative translations shorter than this, as a share of the longest translation of the poses, count as zero."""


class PairErrors(NamedTuple):
    """Errors of the relative pose of each pair of views i < j, in degrees, in the order (0,1), (0,2), ..., (1,2), ...

    Attributes:
        rotation_deg: Geodesic angle between the relative rotations.
        translation_deg: Angle between the directions of the relative translations, 0 to 90: opposite directions count
            as equal. Where only one of the two translations is zero it is 90, where both are it is 0.
    """

    rotation_deg: Float[Tensor, " pairs"]
    translation_deg: Float[Tensor, " pairs"]

    @property
    def largest_deg(self) -> Float[Tensor, " pairs"]:
        """The larger of both, on which areas under recall curves are computed."""
        return torch.maximum(self.rotation_deg, self.translation_deg)


def pair_errors(
    cam_from_world: Float[Tensor, "views 4 4"], reference: Float[Tensor, "reference_views 4 4"]
) -> PairErrors:
    """Errors of all pairs of views, as PoseDiffusion, VGGT and (for two views) NoPoSplat define them.

    Args:
        cam_from_world: Estimated poses.
        reference: True poses of the same views, in any frame and scale.

    Raises:
        GeometryError: Fewer than two views, different numbers of them, or values that are not finite.
    """
    if len(cam_from_world) != len(reference) or len(reference) < 2:
        raise GeometryError(
            f"{len(cam_from_world)} poses against {len(reference)}, expected equal numbers of at least 2"
        )
    ours, theirs = cam_from_world.double(), reference.double()
    if not (ours.isfinite().all() and theirs.isfinite().all()):
        raise GeometryError("poses hold values that are not finite; views without a pose must be left out or filled in")
    first, second = torch.triu_indices(len(ours), len(ours), 1)
    relative, wanted = (poses[first] @ invert_rigid(poses[second]) for poses in (ours, theirs))
    still = [
        pair[:, :3, 3].norm(dim=1) <= STILL * poses[:, :3, 3].norm(dim=1).max()
        for pair, poses in ((relative, ours), (wanted, theirs))
    ]
    angle = _direction_angle_deg(relative[:, :3, 3], wanted[:, :3, 3])
    return PairErrors(
        rotation_angle_deg(relative[:, :3, :3], wanted[:, :3, :3]),
        torch.where(still[0] ^ still[1], 90.0, torch.where(still[0] & still[1], 0.0, angle)),
    )


def recall(errors_deg: Float[Tensor, " pairs"], threshold_deg: int | float) -> float:
    """Share of pairs with an error below the threshold: RRA@t of rotation errors, RTA@t of translation errors."""
    _require_pairs(errors_deg)
    return float((errors_deg < threshold_deg).double().mean())


def auc_exact(errors_deg: Float[Tensor, " pairs"], threshold_deg: int | float) -> float:
    """Area under the recall curve up to the threshold, divided by it: AUC@5/10/20 of two-view tables.

    The curve runs in straight lines from (0, 0) over (e_i, i / n), the errors being sorted, and is level from the last
    error below the threshold on (SuperGlue, NoPoSplat).
    """
    _require_pairs(errors_deg)
    ascending = errors_deg.double().sort().values
    heights = torch.arange(1, len(ascending) + 1, dtype=torch.float64) / len(ascending)
    inside = ascending < threshold_deg
    last = heights[inside][-1:] if inside.any() else torch.zeros(1, dtype=torch.float64)
    start, end = torch.zeros(1, dtype=torch.float64), torch.tensor([threshold_deg], dtype=torch.float64)
    x, y = torch.cat([start, ascending[inside], end]), torch.cat([start, heights[inside], last])
    return float(torch.trapezoid(y, x)) / threshold_deg


def auc_binned(errors_deg: Float[Tensor, " pairs"], threshold_deg: int = 30) -> float:
    """Mean over the bins of one degree up to the threshold of the share of pairs that lie in them or below: AUC@30.

    As PoseDiffusion, VGGT and Depth Anything 3 compute it; a pair with an error of exactly the threshold counts in the
    last bin.
    """
    _require_pairs(errors_deg)
    counts = torch.histc(errors_deg.double(), bins=threshold_deg, min=0, max=threshold_deg)
    return float((counts / len(errors_deg)).cumsum(0).mean())


def trajectory_error(
    cam_from_world: Float[Tensor, "views 4 4"], reference: Float[Tensor, "reference_views 4 4"]
) -> float:
    """Absolute trajectory error: root mean square distance of camera centres, in units of the reference.

    The centres are first brought onto those of the reference by the best similarity (Umeyama 1991).

    Raises:
        GeometryError: Fewer than three views, different numbers of them, or all estimated centres in one place.
    """
    if len(cam_from_world) != len(reference) or len(reference) < 3:
        raise GeometryError(
            f"{len(cam_from_world)} poses against {len(reference)}, expected equal numbers of at least 3"
        )
    ours, theirs = (invert_rigid(poses.double())[:, :3, 3] for poses in (cam_from_world, reference))
    scale, rotation, translation = umeyama(ours, theirs)
    distance = scale * ours @ rotation.mT + translation - theirs
    return float(distance.square().sum(1).mean().sqrt())


def _direction_angle_deg(a: Float[Tensor, "pairs 3"], b: Float[Tensor, "pairs 3"]) -> Float[Tensor, " pairs"]:
    sine, cosine = torch.linalg.cross(a, b).norm(dim=1), (a * b).sum(1).abs()
    return torch.rad2deg(torch.atan2(sine, cosine))


def _require_pairs(errors_deg: Tensor) -> None:
    if not len(errors_deg):
        raise GeometryError("no pair of views, expected at least one")
