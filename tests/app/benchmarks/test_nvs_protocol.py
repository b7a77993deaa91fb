import pytest
import torch

from app.benchmarks.nvs_protocol import choose_frames, every_second_upright
from app.benchmarks.plane_sweep import synthesise
from recon.errors import InputError
from recon.metrics.image import psnr
from recon.types import Cameras, ViewSet


def test_a_long_capture_uses_the_frames_of_the_protocol():
    assert choose_frames(25) == ([0, 10], [0, 3, 7, 10], [2, 4, 6, 8])


@pytest.mark.parametrize("num", [3, 4, 5, 6, 7, 8, 9, 10])
def test_targets_of_a_short_capture_lie_between_and_are_never_given(num):
    frames = choose_frames(num)
    assert frames.two == [0, num - 1]
    assert {0, num - 1} <= set(frames.four)
    assert 1 <= len(frames.targets) <= 4
    assert not set(frames.targets) & set(frames.four)


def test_two_frames_cannot_be_scored():
    with pytest.raises(InputError, match="at least 3"):
        choose_frames(2)


def test_every_second_view_keeps_its_middle_and_repeats_the_edge(generator):
    images = torch.rand(4, 3, 6, 8, generator=generator)
    size, masks = torch.tensor([[8, 6]] * 4), torch.ones(4, 6, 8, dtype=torch.bool)
    views = ViewSet(images, ("a", "b", "c", "d"), size, torch.eye(3).expand(4, 3, 3), masks)
    upright = every_second_upright(views)
    assert upright.bounds().tolist() == [[0, 0, 8, 6], [2, 0, 6, 6]] * 2
    assert torch.equal(upright.images[::2], images[::2])
    assert torch.equal(upright.images[1::2], images[1::2][..., [2, 2, 2, 3, 4, 5, 5, 5]])
    assert torch.equal(views.images, images)


def test_the_plane_sweep_finds_a_wall(generator):
    """A textured wall in front of two cameras: the view between them is the shifted picture."""
    side, shift, focal, depth = 64, 8, 64.0, 4.0
    fine = torch.rand(1, 3, 32, 64, generator=generator)
    texture = torch.nn.functional.interpolate(fine, size=(side, 128), mode="bilinear")[0]
    images = torch.stack([texture[:, :, shift * i : shift * i + side] for i in range(3)])
    pose = torch.eye(4).repeat(3, 1, 1)
    pose[:, 0, 3] = -torch.arange(3) * shift * depth / focal
    K = torch.tensor([[focal, 0, side / 2], [0, focal, side / 2], [0, 0, 1]]).expand(3, 3, 3)
    size = torch.full((3, 2), side)
    cameras = Cameras(pose, K, size)
    masks = torch.ones(3, side, side, dtype=torch.bool)
    views = ViewSet(images, ("a", "b", "c"), size, torch.eye(3).expand(3, 3, 3), masks, cameras)
    middle = synthesise(views[[0, 2]], cameras[[1]])
    seen_by_both = slice(12, side - 12)
    truth = images[1:2, :, seen_by_both, seen_by_both]
    assert float(psnr(middle[:, :, seen_by_both, seen_by_both], truth)) > 30
    assert float(psnr(images[:1, :, seen_by_both, seen_by_both], truth)) < 20
