import pytest
import torch
from skimage.metrics import structural_similarity

from recon.errors import InputError
from recon.losses.laplacian import laplacian_l1
from recon.losses.ssim import ssim_loss, ssim_map
from recon.metrics.image import ssim


@pytest.fixture
def pair(generator):
    first = torch.rand(2, 3, 24, 30, generator=generator, dtype=torch.float64)
    return first, (first + 0.3 * torch.randn(first.shape, generator=generator, dtype=torch.float64)).clamp(0, 1)


def test_similarity_is_that_of_scikit_image_without_its_correction(pair):
    for ours, a, b in zip(ssim_map(*pair), *pair, strict=True):
        reference = structural_similarity(
            a.numpy(),
            b.numpy(),
            gaussian_weights=True,
            use_sample_covariance=False,
            channel_axis=0,
            data_range=1.0,
        )
        assert float(ours.mean()) == pytest.approx(reference, abs=1e-9)


def test_the_loss_is_close_to_what_is_reported(pair):
    reported = float(ssim(*pair).mean())
    assert 0.2 < reported < 0.95
    assert 1 - 2 * float(ssim_loss(*pair)) == pytest.approx(reported, abs=5e-3)


def test_equal_images_cost_nothing_and_order_does_not_matter(pair):
    for loss in (ssim_loss, laplacian_l1):
        assert float(loss(pair[0], pair[0])) == pytest.approx(0, abs=1e-12)
        assert float(loss(*pair)) == pytest.approx(float(loss(*pair[::-1])))
        assert float(loss(*pair)) > 0.01


def test_inverted_contrast_costs_most():
    stripes = (torch.arange(32) % 2).double().expand(1, 3, 32, 32)
    assert float(ssim_loss(stripes, 1 - stripes)) == pytest.approx(1, abs=0.01)


def test_a_constant_error_is_found_in_the_rest_only():
    image = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    for levels in (0, 1, 4):
        assert float(laplacian_l1(image + 0.25, image, levels=levels)) == pytest.approx(0.25, abs=1e-6)


def test_a_checkerboard_lies_in_the_finest_band():
    board = ((torch.arange(16)[:, None] + torch.arange(16)) % 2).double().expand(1, 3, 16, 16)
    error = board - 0.5
    inner = float(laplacian_l1(error, torch.zeros_like(error), levels=1))
    assert inner == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("size", [2, 4, 8])
def test_lost_detail_of_any_size_costs_more_than_a_wrong_brightness(generator, size):
    """The mean absolute difference is the same."""
    detail = torch.randn(1, 3, 64 // size, 64 // size, generator=generator).sign()
    lost = detail.repeat_interleave(size, 2).repeat_interleave(size, 3)
    lost, zero = lost - lost.mean(), torch.zeros_like(lost)
    brightness = torch.full_like(lost, float(lost.abs().mean()))
    assert laplacian_l1(lost, zero) > 1.05 * laplacian_l1(brightness, zero)


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (3, 5, 3), (2, 2, 3, 7, 4)])
def test_bands_exist_for_images_of_any_size(generator, shape):
    image = torch.rand(shape, generator=generator)
    assert laplacian_l1(image, torch.zeros_like(image)).isfinite()


def test_batches_of_any_depth_are_one_mean(pair):
    deep = [image[None] for image in pair]
    for loss in (ssim_loss, laplacian_l1):
        torch.testing.assert_close(loss(*deep), loss(*pair))


def test_images_smaller_than_the_window_are_refused():
    small = torch.zeros(1, 3, 10, 40)
    with pytest.raises(InputError, match="40 x 10 pixels, expected at least 11"):
        ssim_loss(small, small)


@pytest.mark.parametrize("loss", [ssim_loss, laplacian_l1], ids=["ssim", "laplacian"])
def test_autocast_takes_no_precision(generator, loss):
    a = torch.rand(1, 3, 32, 32, generator=generator)
    b = a + 1e-3 * torch.randn(a.shape, generator=generator)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = loss(a, b)
    torch.testing.assert_close(mixed, loss(a, b))


@pytest.mark.parametrize("loss", [ssim_loss, laplacian_l1], ids=["ssim", "laplacian"])
def test_gradients(generator, loss):
    a, b = (torch.rand(1, 3, 12, 13, generator=generator, dtype=torch.float64) for _ in range(2))
    assert torch.autograd.gradcheck(loss, (a.requires_grad_(), b.requires_grad_()), eps=1e-6, atol=1e-5, fast_mode=True)
