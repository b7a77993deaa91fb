"""One capture, stored in every form, is one and the same capture."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from recon.data.captures.capture import Capture
from recon.data.captures.open_source import open_captures
from recon.geometry.projection import project
from recon.types import Cameras
from tests.tiny_captures import (
    TinyCapture,
    tiny_capture,
    write_colmap,
    write_dl3dv,
    write_long_lrm,
    write_lvsm,
    write_re10k,
    write_re10k_text,
    write_rooms,
)

POINTS = torch.tensor([[0.2, 0.1, 3.0], [-0.5, 0.4, 2.5], [0.9, -0.3, 1.8]], dtype=torch.float64)
DISTORTION = (-0.12, 0.03, 0.002, -0.001)

WRITERS: dict[str, Callable[[Path, list[TinyCapture]], Path]] = {
    "re10k_chunks": write_re10k,
    "re10k_text": lambda root, captures: write_re10k_text(root, root / "frames", captures),
    "nerfstudio": write_dl3dv,
    "nerfstudio 10k": lambda root, captures: write_dl3dv(root, captures, layout="10k", downsample=8),
    "long_lrm": write_long_lrm,
    "long_lrm list": write_lvsm,
    "colmap": write_colmap,
    "rooms": write_rooms,
}


def read(root: Path, name: str, capture: TinyCapture) -> Capture:
    source = open_captures(WRITERS[name](root, [capture]), split="train")
    assert len(source) == 1
    return source[0]


def pixels(cameras: Cameras) -> torch.Tensor:
    num = len(cameras)
    found, depth = project(POINTS.expand(num, -1, -1), cameras.cam_from_world.double(), cameras.K.double())
    assert bool((depth > 0).all())
    return found


@pytest.mark.parametrize("name", WRITERS)
def test_point_falls_on_the_same_pixel(tmp_path: Path, name: str) -> None:
    capture = tiny_capture("ab" * 8, frames=3, size=(64, 64))
    found = read(tmp_path, name, capture)
    assert found.name == ("train/000000" if name == "rooms" else capture.name)
    assert float((pixels(found.cameras) - pixels(capture.cameras)).abs().max()) < 1e-3
    assert torch.equal(found.cameras.size, capture.cameras.size)
    for frame in range(3):
        assert np.abs(found.picture(frame).astype(float) - capture.images[frame]).mean() < 2


@pytest.mark.parametrize("name", ["nerfstudio", "nerfstudio 10k", "colmap"])
@pytest.mark.parametrize("size", [(192, 128), (128, 192)], ids=["wide", "tall"])
def test_distorted_pictures_become_those_of_a_pinhole(tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    drawn = tiny_capture("cd" * 8, frames=2, size=size, distortion=DISTORTION)
    found = read(tmp_path, name, drawn)
    assert found.encoded is None
    assert torch.equal(found.cameras.size, drawn.cameras.size)
    assert not torch.equal(found.cameras.K, drawn.cameras.K)
    torch.testing.assert_close(found.cameras.cam_from_world, drawn.cameras.cam_from_world, atol=1e-5, rtol=0)
    for axis in (0, 1):
        assert abs(offset_px(found, drawn, axis)) < 0.05


def offset_px(found: Capture, drawn: TinyCapture, axis: int) -> float:
    """How far a picture lies from what a pinhole with the cameras that were read sees of the same box.

    The squared difference is a parabola of the shift between the two; its vertex is the offset.
    """
    step = 0.25
    behind, here, ahead = (misfit(found, drawn, axis, shift) for shift in (-step, 0.0, step))
    assert here < 2.5
    return step * (behind - ahead) / (2 * (behind - 2 * here + ahead))


def misfit(found: Capture, drawn: TinyCapture, axis: int, shift: float) -> float:
    K = found.cameras.K.clone()
    K[:, axis, 2] += shift
    pinhole = drawn.redrawn(Cameras(found.cameras.cam_from_world, K, found.cameras.size))
    return float(np.square(found.picture(1).astype(float) - pinhole.images[1]).mean())


@pytest.mark.parametrize("downsample", [1, 2, 4, 8])
def test_intrinsics_follow_the_pictures(tmp_path: Path, downsample: int) -> None:
    capture = tiny_capture(frames=2)
    root = write_dl3dv(tmp_path, [capture], downsample=downsample)
    torch.testing.assert_close(open_captures(root)[0].cameras.K, capture.cameras.K)


def test_stored_picture_that_is_to_be_turned(tmp_path: Path) -> None:
    """Chunks describe pictures as they are stored; upright ones show the same world."""
    capture = tiny_capture(frames=2)
    root = write_re10k_text(tmp_path, tmp_path / "frames", [capture])
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    for time, image in zip(capture.timestamps, capture.images, strict=True):
        Image.fromarray(image).save(tmp_path / "frames" / capture.name / f"{time}.jpg", quality=95, exif=exif)
    found = open_captures(root)[0]
    assert found.encoded is None
    assert found.cameras.size[0].tolist() == [64, 96]
    assert found.picture(0).shape == (96, 64, 3)
    upright = pixels(found.cameras)
    stored = pixels(capture.cameras)
    torch.testing.assert_close(upright[..., 0], 64 - stored[..., 1], atol=1e-3, rtol=0)
    torch.testing.assert_close(upright[..., 1], stored[..., 0], atol=1e-3, rtol=0)
