import torch
from torch.nn.functional import conv2d

from recon.losses.separable import filter_inside


def test_it_is_a_convolution_along_both_axes(generator):
    x = torch.rand(2, 3, 9, 12, generator=generator, dtype=torch.float64)
    taps = torch.tensor([0.1, 0.5, 0.2, -0.3, 0.4], dtype=torch.float64)
    kernel = torch.outer(taps, taps)[None, None]
    expected = conv2d(x.flatten(0, 1)[:, None], kernel).reshape(2, 3, 5, 8)
    torch.testing.assert_close(filter_inside(x, taps.tolist()), expected)


def test_one_tap_scales_twice():
    x = torch.ones(1, 2, 2)
    torch.testing.assert_close(filter_inside(x, (3.0,)), 9 * x)
