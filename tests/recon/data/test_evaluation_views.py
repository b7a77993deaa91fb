import numpy as np
import pytest
import torch

from recon.data.evaluation import cover_and_crop, stretch

K = torch.tensor([[80.0, 0, 40], [0, 80, 24], [0, 0, 1]])


def ramp(height: int = 48, width: int = 80) -> np.ndarray:
    """Red grows by 2 a pixel to the right, green by 3 a pixel downwards; in the middle of pixels."""
    x, y = np.meshgrid(np.arange(width) * 2, np.arange(height) * 3)
    return np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("bring", [cover_and_crop, stretch])
def test_intrinsics_follow_the_picture(bring) -> None:
    """The ray through a pixel shows the colour that the ramp has where that ray met the original."""
    image, new = bring(ramp(), K, (32, 32))
    assert image.shape == (3, 32, 32)
    for row, column in ((8, 10), (20, 25)):
        ray = torch.linalg.inv(new) @ torch.tensor([column + 0.5, row + 0.5, 1.0])
        x, y, _ = (K @ ray).tolist()
        assert float(image[0, row, column]) * 255 == pytest.approx(2 * (x - 0.5), abs=2.1)
        assert float(image[1, row, column]) * 255 == pytest.approx(3 * (y - 0.5), abs=2.1)


def test_covering_keeps_pixels_square_and_stretching_keeps_the_whole_picture() -> None:
    _, covered = cover_and_crop(ramp(), K, (32, 32))
    assert float(covered[0, 0]) == pytest.approx(float(covered[1, 1]), rel=0.01)
    stretched, _ = stretch(ramp(), K, (48, 40))
    assert float(stretched[0, 0, -1]) * 255 == pytest.approx(2 * 78.5, abs=1)
