import numpy as np
import pytest
import torch

from recon.data.captures.re10k_text import Re10kText
from recon.data.evaluation import EvaluationSample, cover_and_crop, evaluation_samples, stretch
from recon.data.views.evaluation_index import EvaluationEntry, EvaluationIndex
from recon.errors import UnusableCaptureError
from tests.tiny_captures import tiny_capture, write_re10k_text

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


def test_frames_keep_their_numbers_where_others_have_no_picture(tmp_path) -> None:
    """Frame 0 is lost: the index still means the frames that it meant, and a pair with frame 0 is not scored."""
    drawn = tiny_capture(frames=6)
    write_re10k_text(tmp_path, tmp_path / "frames", [drawn], "test")
    (tmp_path / "frames" / drawn.name / f"{drawn.timestamps[0]}.jpg").unlink()
    source = Re10kText(tmp_path, "test")
    for context, whole in (((1, 5), True), ((0, 5), False)):
        index = EvaluationIndex("pixelSplat", {drawn.name: EvaluationEntry(context, (3,))})
        (found,) = evaluation_samples(source, index, (64, 96))
        if whole:
            assert isinstance(found, EvaluationSample)
            torch.testing.assert_close(found.target.cam_from_world, drawn.cameras.cam_from_world[[3]])
            torch.testing.assert_close(found.context.cam_from_world, drawn.cameras.cam_from_world[[1, 5]])
        else:
            assert isinstance(found, UnusableCaptureError)
            assert found.reason == "frames of the evaluation index missing"
