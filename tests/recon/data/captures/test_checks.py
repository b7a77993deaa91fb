import math

import pytest
import torch

from recon.data.captures.checks import (
    FAR_CAMERA,
    IMPOSSIBLE_CAMERA,
    OTHER_SIZE,
    WIDE_VIEW,
    CaptureChecks,
    check_cameras,
    field_of_view_deg,
)
from recon.errors import UnusableCaptureError
from recon.types import Cameras
from tests.tiny_captures import tiny_capture


def cameras() -> Cameras:
    found = tiny_capture(frames=3).cameras
    return Cameras(found.cam_from_world.clone(), found.K.clone(), found.size.clone())


def reason_of(faulty: Cameras, checks: CaptureChecks | None = None) -> str:
    with pytest.raises(UnusableCaptureError, match=r"a: the camera of frame 1 .* of 3 frames") as caught:
        check_cameras("a", faulty, checks or CaptureChecks())
    return caught.value.reason


def test_good_cameras_pass() -> None:
    found = cameras()
    assert check_cameras("a", found) is found


def test_field_of_view_is_that_of_a_right_angle() -> None:
    found = cameras()
    found.K[:, 0, 0], found.K[:, 1, 1] = 48, 32
    torch.testing.assert_close(field_of_view_deg(found), torch.full((3, 2), 90.0, dtype=torch.float64))


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("field", ["cam_from_world", "K"])
def test_numbers_that_are_none(field: str, value: float) -> None:
    faulty = cameras()
    getattr(faulty, field)[1, 0, 2] = value
    assert reason_of(faulty) == IMPOSSIBLE_CAMERA


def test_mirrored_and_scaled_rotations() -> None:
    mirrored, scaled, backwards = cameras(), cameras(), cameras()
    mirrored.cam_from_world[1, 0, :3] *= -1
    scaled.cam_from_world[1, :3, :3] *= 1.01
    backwards.K[1, 0, 0] *= -1
    assert {reason_of(faulty) for faulty in (mirrored, scaled, backwards)} == {IMPOSSIBLE_CAMERA}


def test_far_wide_and_of_another_size() -> None:
    far, wide, other = cameras(), cameras(), cameras()
    far.cam_from_world[1, 2, 3] = -1001
    wide.K[1, 0, 0] = 48 / math.tan(math.radians(50.5))
    other.size[1, 0] += 1
    assert reason_of(far) == FAR_CAMERA
    assert reason_of(wide) == WIDE_VIEW
    assert reason_of(other, CaptureChecks(size=(96, 64))) == OTHER_SIZE
    check_cameras("a", far, CaptureChecks(max_translation=2000.0))
    check_cameras("a", wide, CaptureChecks(max_fov_deg=120.0))
    check_cameras("a", other)
