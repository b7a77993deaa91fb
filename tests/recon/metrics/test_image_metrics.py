import pytest
import torch

from recon.metrics.image import psnr, ssim


def test_psnr_of_a_known_error():
    image = torch.full((2, 3, 16, 16), 0.5)
    torch.testing.assert_close(psnr(image + 0.1, image), torch.tensor([20.0, 20.0]))


def test_psnr_clips_before_it_compares():
    white = torch.ones(1, 3, 16, 16)
    torch.testing.assert_close(psnr(white * 1.1 - 0.0, white + 3), torch.tensor([100.0]))


def test_ssim_of_equal_images_is_one(generator):
    image = torch.rand(2, 3, 32, 32, generator=generator)
    assert ssim(image, image).tolist() == pytest.approx([1, 1])


def test_ssim_of_constants_is_the_luminance_term():
    a, b = torch.full((1, 3, 32, 32), 0.4), torch.full((1, 3, 32, 32), 0.6)
    expected = (2 * 0.4 * 0.6 + 1e-4) / (0.4**2 + 0.6**2 + 1e-4)
    assert float(ssim(a, b)) == pytest.approx(expected, abs=1e-5)
