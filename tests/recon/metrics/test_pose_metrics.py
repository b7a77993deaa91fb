import math

import numpy as np
import pytest
import torch
from torch import Tensor

from recon.errors import GeometryError
from recon.geometry.se3 import rigid, rotation_from_vector
from recon.metrics.pose import auc_binned, auc_exact, pair_errors, recall, trajectory_error


def poses(vectors: list[list[float]], centers: list[list[float]]) -> Tensor:
    """Camera-from-world of cameras that are turned by rotation vectors and stand at centres."""
    rotation = rotation_from_vector(torch.tensor(vectors, dtype=torch.float64))
    centre = torch.tensor(centers, dtype=torch.float64)
    return rigid(rotation, -(rotation @ centre[..., None]).squeeze(-1))


def random_poses(num: int, generator: torch.Generator) -> Tensor:
    vectors, centers = (torch.randn(num, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    return poses(vectors.tolist(), centers.tolist())


def moved(cam_from_world: Tensor, scale: float, generator: torch.Generator) -> Tensor:
    """The same cameras in a world of another frame and scale."""
    other_from_world = rigid(
        rotation_from_vector(torch.randn(3, generator=generator, dtype=torch.float64)),
        torch.randn(3, generator=generator, dtype=torch.float64),
    )
    result = cam_from_world @ torch.linalg.inv(other_from_world)
    result[:, :3, 3] *= scale
    return result


def test_frame_and_scale_do_not_matter(generator):
    truth = random_poses(5, generator)
    errors = pair_errors(moved(truth, 7.0, generator), truth)
    assert len(errors.rotation_deg) == 10
    assert float(errors.largest_deg.max()) < 1e-6
    assert trajectory_error(moved(truth, 7.0, generator), truth) < 1e-9


def test_a_known_turn_and_a_known_direction():
    truth = poses([[0, 0, 0]] * 2, [[0, 0, 0], [1, 0, 0]])
    turned = poses([[0, 0, 0], [0, 0.2, 0]], [[0, 0, 0], [1, 0, 0]])
    errors = pair_errors(turned, truth)
    assert float(errors.rotation_deg) == pytest.approx(math.degrees(0.2))
    aside = poses([[0, 0, 0]] * 2, [[0, 0, 0], [math.cos(0.3), math.sin(0.3), 0]])
    errors = pair_errors(aside, truth)
    assert float(errors.rotation_deg) == pytest.approx(0, abs=1e-9)
    assert float(errors.translation_deg) == pytest.approx(math.degrees(0.3))
    assert float(errors.largest_deg) == pytest.approx(math.degrees(0.3))


def test_tiny_angles_are_exact_in_float64():
    truth = poses([[0, 0, 0]] * 2, [[0, 0, 0], [1, 0, 0]])
    turned = poses([[0, 0, 0], [1e-8, 0, 0]], [[0, 0, 0], [1, 0, 0]])
    assert float(pair_errors(turned, truth).rotation_deg) == pytest.approx(math.degrees(1e-8), rel=1e-6)


def test_opposite_directions_count_as_equal():
    truth = poses([[0, 0, 0]] * 2, [[0, 0, 0], [1, 2, 0]])
    back = poses([[0, 0, 0]] * 2, [[0, 0, 0], [-1, -2, 0]])
    assert float(pair_errors(back, truth).translation_deg) == pytest.approx(0, abs=1e-9)


def test_cameras_at_one_place_have_a_stated_error():
    truth = poses([[0, 0, 0], [0, 1, 0]], [[3, 4, 5], [3, 4, 5]])
    moving = poses([[0, 0, 0], [0, 1, 0]], [[3, 4, 5], [3, 4, 6]])
    assert float(pair_errors(truth, truth).translation_deg) == 0
    assert float(pair_errors(moving, truth).translation_deg) == 90
    assert float(pair_errors(truth, moving).translation_deg) == 90
    at_origin = poses([[0, 0, 0], [0, 1, 0]], [[0, 0, 0], [0, 0, 0]])
    assert float(pair_errors(at_origin, at_origin).translation_deg) == 0


def test_pairs_are_in_the_order_of_the_first_view():
    truth = poses([[0, 0, 0]] * 3, [[0, 0, 0], [1, 0, 0], [2, 0, 0]])
    turned = poses([[0, 0, 0], [0, 0, 0], [0.5, 0, 0]], [[0, 0, 0], [1, 0, 0], [2, 0, 0]])
    assert pair_errors(turned, truth).rotation_deg.tolist() == pytest.approx([0, math.degrees(0.5), math.degrees(0.5)])


def test_recall_is_the_share_below_the_threshold():
    errors = torch.tensor([1.0, 15.0, 14.999, 40.0])
    assert recall(errors, 15) == 0.5
    assert recall(errors, 30) == 0.75


def test_the_exact_area_by_hand():
    """Recall runs (0,0) (1,0.5) (2,1) and is level to 5: 0.25 + 0.75 + 3 of 5."""
    assert auc_exact(torch.tensor([2.0, 1.0]), 5) == pytest.approx(4 / 5)
    assert auc_exact(torch.tensor([1.0, 8.0]), 5) == pytest.approx((0.25 + 4 * 0.5) / 5)
    assert auc_exact(torch.tensor([0.0, 0.0]), 5) == 1
    assert auc_exact(torch.tensor([5.0, 9.0]), 5) == 0


def test_the_binned_area_by_hand():
    """Errors in the bins 0 and 2 of 5: cumulated shares 0.5 0.5 1 1 1."""
    assert auc_binned(torch.tensor([0.5, 2.0]), 5) == pytest.approx(0.8)
    assert auc_binned(torch.tensor([0.0, 0.999]), 5) == 1
    assert auc_binned(torch.tensor([5.0, 5.001]), 5) == pytest.approx(0.5 / 5)
    assert auc_binned(torch.tensor([31.0])) == 0


def test_the_binned_area_is_that_of_numpy_histograms(generator):
    errors = 60 * torch.rand(500, generator=generator, dtype=torch.float64)
    counts, _ = np.histogram(errors.numpy(), bins=np.arange(31))
    assert auc_binned(errors, 30) == pytest.approx(float(np.mean(np.cumsum(counts / 500))))


def test_the_two_areas_differ_by_about_half_a_bin(generator):
    errors = 30 * torch.rand(20_000, generator=generator, dtype=torch.float64)
    assert auc_exact(errors, 30) == pytest.approx(0.5, abs=0.01)
    assert auc_binned(errors, 30) - auc_exact(errors, 30) == pytest.approx(0.5 / 30, abs=1e-3)


def test_trajectory_error_by_hand():
    """Centres on a square, one lifted by h in a direction that no similarity can follow fully."""
    square = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
    lifted = [[0, 0, 0.1], [1, 0, -0.1], [1, 1, 0.1], [0, 1, -0.1]]
    estimated, truth = poses([[0, 0, 0]] * 4, lifted), poses([[0, 0, 0]] * 4, square)
    scale = 0.5 / (0.5 + 0.01)  # variance of the square about its centre over that of the lifted one
    expected = math.sqrt(0.5 * (1 - scale) ** 2 + (0.1 * scale) ** 2)
    assert trajectory_error(estimated, truth) == pytest.approx(expected)


def test_trajectory_error_is_in_units_of_the_reference():
    ours = poses([[0, 0, 0]] * 3, [[0, 0, 0], [1, 0, 0], [2, 0.5, 0]])
    truth = poses([[0, 0, 0]] * 3, [[0, 0, 0], [1, 0, 0], [2, 0, 0]])
    wide = poses([[0, 0, 0]] * 3, [[0, 0, 0], [10, 0, 0], [20, 0, 0]])
    assert trajectory_error(ours, wide) == pytest.approx(10 * trajectory_error(ours, truth))


def test_what_cannot_be_compared_is_refused(generator):
    three = random_poses(3, generator)
    with pytest.raises(GeometryError, match="2 poses against 3"):
        pair_errors(three[:2], three)
    with pytest.raises(GeometryError, match="1 poses against 1, expected equal numbers of at least 2"):
        pair_errors(three[:1], three[:1])
    with pytest.raises(GeometryError, match="not finite"):
        pair_errors(three * torch.nan, three)
    with pytest.raises(GeometryError, match="2 poses against 2, expected equal numbers of at least 3"):
        trajectory_error(three[:2], three[:2])
    with pytest.raises(GeometryError, match="without spread"):
        trajectory_error(torch.eye(4, dtype=torch.float64).expand(3, 4, 4), three)
    for measure in (auc_exact, auc_binned, recall):
        with pytest.raises(GeometryError, match="no pair"):
            measure(torch.zeros(0), 5)
