import pytest
import torch

from recon.geometry.se3 import rotation_from_quat
from recon.geometry.sh_rotation import rotate_harmonics, rotation_of_harmonics
from recon.geometry.spherical_harmonics import BAND_1, evaluate_harmonics, num_coefficients


def random_rotation(generator: torch.Generator) -> torch.Tensor:
    return rotation_from_quat(torch.randn(4, generator=generator, dtype=torch.float64))


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_a_turned_colour_is_seen_from_turned_directions(degree, generator):
    rotation = random_rotation(generator)
    coefficients = torch.randn(5, num_coefficients(degree), 3, generator=generator, dtype=torch.float64)
    directions = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    before = evaluate_harmonics(coefficients, directions, degree)
    after = evaluate_harmonics(rotate_harmonics(coefficients, rotation), directions @ rotation.T, degree)
    torch.testing.assert_close(after, before, atol=1e-12, rtol=0)


def test_the_matrices_are_orthogonal_and_follow_the_rotations(generator):
    a, b = random_rotation(generator), random_rotation(generator)
    turned = rotation_of_harmonics(a, 3)
    torch.testing.assert_close(turned @ turned.T, torch.eye(16, dtype=torch.float64), atol=1e-12, rtol=0)
    both = rotation_of_harmonics(a @ b, 3)
    torch.testing.assert_close(turned @ rotation_of_harmonics(b, 3), both, atol=1e-12, rtol=0)


def test_a_quarter_turn_about_z_takes_brightness_from_x_to_y():
    quarter = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]], dtype=torch.float64)
    bright_at_x = torch.zeros(1, 4, 1, dtype=torch.float64)
    bright_at_x[0, 3] = -1  # Y_1,1 = -c x
    turned = rotate_harmonics(bright_at_x, quarter)
    torch.testing.assert_close(turned[0, :, 0], torch.tensor([0, -1.0, 0, 0], dtype=torch.float64), atol=1e-12, rtol=0)
    at_y = evaluate_harmonics(turned, torch.tensor([[0.0, 1, 0]], dtype=torch.float64), 1)
    assert float(at_y) == pytest.approx(BAND_1)
