"""How well a relative pose explains matched rays.

Rays are directions (x, y, 1) in OpenCV camera axes, that is undistorted pixels times the inverse intrinsics.
"""

import numpy as np
from jaxtyping import Bool, Float

_EPS = 1e-18


def cross_matrix(v: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3 3"]:
    """Matrix of the cross product with v."""
    return np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])


def sampson_distance(
    rotation: Float[np.ndarray, "3 3"],
    translation: Float[np.ndarray, "3"],
    first_rays: Float[np.ndarray, "matches 3"],
    second_rays: Float[np.ndarray, "matches 3"],
) -> Float[np.ndarray, " matches"]:
    """Signed first-order distance to the epipolar constraint, in units of the image plane at depth 1.

    Hartley and Zisserman, Multiple View Geometry, eq. 11.9, with x2 = rotation x1 + translation.
    """
    essential = cross_matrix(translation) @ rotation
    lines2, lines1 = first_rays @ essential.T, second_rays @ essential
    gradient = (lines2[:, :2] ** 2).sum(1) + (lines1[:, :2] ** 2).sum(1)
    return (second_rays * lines2).sum(1) / np.sqrt(gradient + _EPS)


def depths(
    rotation: Float[np.ndarray, "3 3"],
    translation: Float[np.ndarray, "3"],
    first_rays: Float[np.ndarray, "matches 3"],
    second_rays: Float[np.ndarray, "matches 3"],
) -> tuple[Float[np.ndarray, " matches"], Float[np.ndarray, " matches"]]:
    """Depths d1, d2 for which d1 rotation x1 + translation is nearest to d2 x2; parallel rays give huge depths.

    From the cross products with x2 and with rotation x1, in which one unknown drops out.
    """
    turned = first_rays @ rotation.T
    normal = np.cross(second_rays, turned)
    squared = (normal**2).sum(1) + _EPS
    first = -(np.cross(second_rays, translation) * normal).sum(1) / squared
    second = -(np.cross(turned, translation) * normal).sum(1) / squared
    return first, second


def in_front(
    rotation: Float[np.ndarray, "3 3"],
    translation: Float[np.ndarray, "3"],
    first_rays: Float[np.ndarray, "matches 3"],
    second_rays: Float[np.ndarray, "matches 3"],
) -> Bool[np.ndarray, " matches"]:
    """Whether a match triangulates in front of both cameras."""
    first, second = depths(rotation, translation, first_rays, second_rays)
    return (first > 0) & (second > 0)


def parallax_deg(
    rotation: Float[np.ndarray, "3 3"],
    first_rays: Float[np.ndarray, "matches 3"],
    second_rays: Float[np.ndarray, "matches 3"],
) -> Float[np.ndarray, " matches"]:
    """Angles between the two rays of each match, in degrees."""
    turned = first_rays @ rotation.T
    sine = np.linalg.norm(np.cross(second_rays, turned), axis=1)
    return np.degrees(np.arctan2(sine, (second_rays * turned).sum(1)))


def explained(
    rotation: Float[np.ndarray, "3 3"],
    translation: Float[np.ndarray, "3"],
    first_rays: Float[np.ndarray, "matches 3"],
    second_rays: Float[np.ndarray, "matches 3"],
    tolerance: float,
) -> Float[np.ndarray, " matches"]:
    """Weight in 0..1 of each match: 1 on its epipolar line, 0 from `tolerance` on or behind a camera.

    One minus the MSAC cost of Torr and Zisserman (2000).
    """
    distance = sampson_distance(rotation, translation, first_rays, second_rays)
    weight = np.clip(1 - (distance / tolerance) ** 2, 0, 1)
    return np.where(in_front(rotation, translation, first_rays, second_rays), weight, 0.0)
