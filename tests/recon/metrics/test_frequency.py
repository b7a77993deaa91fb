"""Gains of pictures whose spectrum is known."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from recon.metrics.frequency import octave_gains


@pytest.fixture
def noise(generator: torch.Generator) -> Tensor:
    """White: every octave is there."""
    return torch.rand(2, 3, 64, 96, generator=generator, dtype=torch.float64)


def wave(period: float) -> Tensor:
    """Vertical stripes."""
    return 0.5 + 0.3 * torch.cos(2 * torch.pi * torch.arange(128) / period).expand(1, 3, 128, 128)


def test_a_picture_is_all_of_itself(noise: Tensor) -> None:
    torch.testing.assert_close(octave_gains(noise, noise), torch.ones(2, 4, dtype=torch.float64))


def test_gain_is_linear_and_brightness_does_not_count(noise: Tensor) -> None:
    gains = octave_gains(0.3 * noise + 0.2, noise)
    torch.testing.assert_close(gains, torch.full((2, 4), 0.3, dtype=torch.float64))


@pytest.mark.parametrize(("period", "octave"), [(32, 0), (12, 1), (6, 2), (3, 3)])
def test_a_wave_counts_in_its_octave(period: float, octave: int, generator: torch.Generator) -> None:
    base = 0.1 * torch.rand(1, 3, 128, 128, generator=generator)
    found = octave_gains(base, base + wave(period))
    assert found[0].argmin() == octave
    assert found[0, octave] < 0.03


def test_a_filter_has_the_gain_that_its_formula_says() -> None:
    """The mean of a pixel and its right neighbour multiplies a wave of period p by cos^2(pi / p), in phase."""
    for period in (16.0, 6.0, 3.0):
        picture = wave(period)
        blurred = (picture + picture.roll(1, -1)) / 2
        gain = octave_gains(blurred, picture)[0, {16.0: 0, 6.0: 2, 3.0: 3}[period]]
        assert float(gain) == pytest.approx(torch.cos(torch.tensor(torch.pi / period)).square().item(), abs=0.02)


def test_enlarging_a_small_picture_loses_the_upper_octaves(noise: Tensor) -> None:
    small = interpolate(avg_pool2d(noise, 4), scale_factor=4, mode="bilinear")
    gains = octave_gains(small, noise).mean(0)
    assert (gains[:-1] > gains[1:]).all()
    assert gains[0] > 0.5
    assert gains[3] < 0.1


def test_detail_in_the_wrong_place_or_of_its_own_is_no_gain(noise: Tensor, generator: torch.Generator) -> None:
    other = torch.rand(noise.shape, generator=generator, dtype=noise.dtype)
    assert (octave_gains(other, noise).abs() < 0.3).all()
    torch.testing.assert_close(octave_gains(noise + other, noise)[:, 3], torch.ones(2).double(), atol=0.1, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_empty_octave_has_no_gain(noise: Tensor, dtype: torch.dtype) -> None:
    """Also where the mean of a flat picture is rounded, so that taking it off leaves something: with 0.7 it does."""
    for colour in (0.0, 0.3, 0.7, 1.0):
        assert octave_gains(noise.to(dtype), torch.full_like(noise, colour, dtype=dtype)).isnan().all()


def test_the_faintest_detail_of_eight_bits_has_a_gain() -> None:
    """Stripes of one step of 256."""
    stripes = torch.full((1, 3, 64, 64), 0.5)
    stripes[..., ::3] += 1 / 255
    assert octave_gains(stripes, stripes)[0, 3] == pytest.approx(1)
