import numpy as np
import pytest
import torch
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from recon.metrics.image import psnr, ssim


def test_psnr_of_a_known_error():
    image = torch.full((2, 3, 16, 16), 0.5, dtype=torch.float64)
    torch.testing.assert_close(psnr(image + 0.1, image), torch.tensor([20.0, 20.0], dtype=torch.float64))


@pytest.mark.parametrize("sigma", [0.1, 0.0316, 0.01])
def test_psnr_of_float32_images_is_that_of_float64_arithmetic(sigma, generator):
    """At about 20, 30 and 40 dB."""
    truth = torch.rand(8, 3, 64, 64, generator=generator)
    shown = truth + sigma * torch.randn(truth.shape, generator=generator)
    difference = np.clip(shown.numpy().astype(np.float64), 0, 1) - truth.numpy().astype(np.float64)
    expected = -10 * np.log10((difference**2).mean((1, 2, 3)))
    assert psnr(shown, truth).tolist() == pytest.approx(expected.tolist(), abs=1e-9)


def test_psnr_clips_before_it_compares():
    white = torch.ones(1, 3, 16, 16)
    torch.testing.assert_close(psnr(white * 1.1 - 0.0, white + 3), torch.tensor([100.0], dtype=torch.float64))


def test_ssim_of_equal_images_is_one(generator):
    image = torch.rand(2, 3, 32, 32, generator=generator)
    assert ssim(image, image).tolist() == pytest.approx([1, 1])


def test_ssim_of_constants_is_the_luminance_term():
    a, b = torch.full((1, 3, 32, 32), 0.4), torch.full((1, 3, 32, 32), 0.6)
    expected = (2 * 0.4 * 0.6 + 1e-4) / (0.4**2 + 0.6**2 + 1e-4)
    assert float(ssim(a, b)) == pytest.approx(expected, abs=1e-5)


def test_ssim_does_not_clip_as_in_published_tables():
    a, b = torch.full((1, 3, 32, 32), 1.2), torch.ones(1, 3, 32, 32)
    expected = (2 * 1.2 + 1e-4) / (1.2**2 + 1 + 1e-4)
    assert float(ssim(a, b)) == pytest.approx(expected, abs=1e-5)


def test_psnr_is_that_of_torchmetrics(generator):
    a, b = torch.rand(2, 3, 16, 16, generator=generator), torch.rand(2, 3, 16, 16, generator=generator)
    expected = peak_signal_noise_ratio(a.double(), b.double(), data_range=1.0, reduction="none", dim=(1, 2, 3))
    torch.testing.assert_close(psnr(a, b), expected)


def test_ssim_of_noise_is_that_of_torchmetrics_but_for_the_correction_of_variances(generator):
    a = torch.rand(1, 3, 64, 64, generator=generator)
    b = (a + 0.2 * torch.randn(a.shape, generator=generator)).clamp(0, 1)
    expected = float(structural_similarity_index_measure(a, b, data_range=1.0))
    assert float(ssim(a, b)) == pytest.approx(expected, abs=2e-3)
