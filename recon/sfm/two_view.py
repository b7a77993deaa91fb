"""Relative pose of two photographs whose focal length may be unknown.

Two views of a general scene determine a shared focal length, though weakly. So the pose is estimated for several focal
lengths, and then refined together with the focal length under a prior.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from recon.sfm.epipolar import in_front, parallax_deg, sampson_distance
from recon.sfm.match_graph import Pair
from recon.sfm.workspace import Lens

# Standard deviations of the logarithm of (focal length / expected focal length).
_SPREAD_IF_UNKNOWN = 0.5
_SPREAD_IF_KNOWN = 0.05
# First focal lengths, as factors of the expected one.
_GRID_IF_UNKNOWN = (0.45, 0.57, 0.7, 0.87, 1.07, 1.32, 1.65, 2.1, 3.1)
_GRID_IF_KNOWN = (1.0,)
_NOISE_PX = 0.5
_OUTLIER_PX = 2.0
# Matches are not independent; more of them than this do not make the prior weaker.
_EFFECTIVE_MATCHES = 200
_NUM_REFINED = 4
_MAX_FITTED = 500


@dataclass(frozen=True)
class RelativePose:
    """second = rotation first + translation, in OpenCV camera axes.

    Attributes:
        rotation: Of the second camera from the first.
        translation: Unit length.
        focal_factor: Multiplies the expected focal length of both photographs.
        cost: Negative log posterior; lower is better.
        parallax_deg: Median angle between the two rays of an explained match.
        inliers: Whether each match is explained.
    """

    rotation: Float[np.ndarray, "3 3"]
    translation: Float[np.ndarray, "3"]
    focal_factor: float
    cost: float
    parallax_deg: float
    inliers: np.ndarray


class TwoViewProblem:
    """The matches of one pair, seen with a focal length that is not fixed yet.

    Args:
        points_px: Matched positions in the two reduced photographs.
        lenses: Lenses of the two photographs.
    """

    def __init__(self, points_px: Sequence[Float[np.ndarray, "matches 2"]], lenses: Sequence[Lens]):
        self._centred = [px - np.array(lens.size) / 2 for px, lens in zip(points_px, lenses, strict=True)]
        self._expected_px = [lens.expected_focal_px for lens in lenses]
        self.focal_is_known = all(lens.focal_px is not None for lens in lenses)

    def rays(self, factor: float) -> list[Float[np.ndarray, "matches 3"]]:
        """Viewing directions (x, y, 1) in both cameras."""
        return [
            np.concatenate([px / (factor * expected), np.ones((len(px), 1))], axis=1)
            for px, expected in zip(self._centred, self._expected_px, strict=True)
        ]

    def focal_px(self, factor: float) -> float:
        """Mean focal length of the two cameras."""
        return factor * float(np.mean(self._expected_px))

    def residuals(
        self, rotation: Float[np.ndarray, "3 3"], translation: Float[np.ndarray, "3"], factor: float
    ) -> Float[np.ndarray, " matches"]:
        """Epipolar errors over the noise, cut off at outliers; matches behind a camera are outliers."""
        rays = self.rays(factor)
        error = sampson_distance(rotation, translation, *rays) * self.focal_px(factor) / _NOISE_PX
        limit = _OUTLIER_PX / _NOISE_PX
        return np.where(in_front(rotation, translation, *rays), np.clip(error, -limit, limit), limit)

    def prior(self, factor: float) -> float:
        """Standard deviations between the focal length and what one expects."""
        return float(np.log(factor)) / (_SPREAD_IF_KNOWN if self.focal_is_known else _SPREAD_IF_UNKNOWN)

    def cost(self, rotation: Float[np.ndarray, "3 3"], translation: Float[np.ndarray, "3"], factor: float) -> float:
        """Negative log posterior up to a constant."""
        squares = self.residuals(rotation, translation, factor) ** 2
        return 0.5 * (float(squares.mean()) * min(len(squares), _EFFECTIVE_MATCHES) + self.prior(factor) ** 2)


def estimate_relative_pose(pair: Pair, first: Lens, second: Lens, seed: int) -> RelativePose | None:
    """Best relative pose over all focal lengths, or None where no candidate exists."""
    step = -(-len(pair) // _MAX_FITTED)
    problem = TwoViewProblem([pair.first_px[::step], pair.second_px[::step]], [first, second])
    grid = _GRID_IF_KNOWN if problem.focal_is_known else _GRID_IF_UNKNOWN
    candidates = [(*motion, factor) for factor in grid for motion in _motions(problem, factor, seed)]
    candidates.sort(key=lambda candidate: problem.cost(*candidate))
    refined = [_refine(problem, *candidate) for candidate in candidates[:_NUM_REFINED]]
    if not refined:
        return None
    rotation, translation, factor = min(refined, key=lambda candidate: problem.cost(*candidate))
    problem = TwoViewProblem([pair.first_px, pair.second_px], [first, second])
    inliers = np.abs(problem.residuals(rotation, translation, factor)) < _OUTLIER_PX / _NOISE_PX
    angles = parallax_deg(rotation, *(rays[inliers] for rays in problem.rays(factor)))
    return RelativePose(
        rotation=rotation,
        translation=translation,
        focal_factor=factor,
        cost=problem.cost(rotation, translation, factor),
        parallax_deg=float(np.median(angles)) if inliers.any() else 0.0,
        inliers=inliers,
    )


def _motions(problem: TwoViewProblem, factor: float, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Motions from the essential matrix, and from the homography, which alone is right on a plane."""
    first, second = (rays[:, :2].copy() for rays in problem.rays(factor))
    settings = cv2.UsacParams()
    settings.randomGeneratorState = seed
    settings.threshold = 3 * _NOISE_PX / problem.focal_px(factor)
    settings.confidence = 0.9999
    settings.score = cv2.SCORE_METHOD_MAGSAC
    settings.maxIterations = 2000
    settings.loMethod = cv2.LOCAL_OPTIM_SIGMA
    identity, no_distortion = np.eye(3), np.zeros(4)
    motions = []
    essential, _ = cv2.findEssentialMat(first, second, identity, identity, no_distortion, no_distortion, settings)
    if essential is not None and essential.shape == (3, 3):
        turn1, turn2, direction = cv2.decomposeEssentialMat(essential)
        motions += [(turn, sign * direction[:, 0]) for turn in (turn1, turn2) for sign in (1, -1)]
    homography, _ = cv2.findHomography(first, second, settings)
    if homography is not None and np.isfinite(homography).all():
        _, turns, directions, _ = cv2.decomposeHomographyMat(homography, identity)
        motions += [
            (turn, direction[:, 0] / length)
            for turn, direction in zip(turns, directions, strict=True)
            if (length := float(np.linalg.norm(direction))) > 1e-6
        ]
    return motions


def _refine(
    problem: TwoViewProblem, rotation: np.ndarray, translation: np.ndarray, factor: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """Least squares over rotation, direction of translation and focal length."""
    tangent = np.linalg.svd(translation[None])[2][1:].T

    def motion(step: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        moved = translation + tangent @ step[3:5]
        turned = Rotation.from_rotvec(step[:3]).as_matrix() @ rotation
        return turned, moved / np.linalg.norm(moved), factor * float(np.exp(step[5]))

    def residuals(step: np.ndarray) -> np.ndarray:
        errors = problem.residuals(*motion(step))
        weight = np.sqrt(min(len(errors), _EFFECTIVE_MATCHES) / len(errors))
        return np.append(errors * weight, problem.prior(motion(step)[2]))

    return motion(least_squares(residuals, np.zeros(6)).x)
