import json

import pytest
import torch

from recon.errors import FormatError, GeometryError, InputError, LimitError
from recon.io import camera_path
from recon.io.camera_path import read_camera_path
from recon.io.transforms_json import write_transforms
from recon.types import Cameras

FRAME = {"transform_matrix": torch.eye(4).tolist(), "fl_x": 50.0, "w": 64, "h": 48}


def write(path, content):
    path.write_text(json.dumps(content))
    return path


def test_what_the_exporter_writes_is_a_path_without_its_photographs(tmp_path, generator):
    pose = torch.eye(4).repeat(3, 1, 1)
    pose[:, :3, 3] = torch.randn(3, 3, generator=generator)
    K = torch.tensor([[50.0, 0, 30], [0, 51, 25], [0, 0, 1]]).repeat(3, 1, 1)
    cameras = Cameras(pose, K, torch.tensor([[64, 48]] * 3))
    write_transforms(tmp_path / "transforms.json", cameras, ["a", "b", "c"])
    again = read_camera_path(tmp_path / "transforms.json", (1, 1))
    torch.testing.assert_close(again.cam_from_world, cameras.cam_from_world)
    torch.testing.assert_close(again.K, cameras.K)
    assert torch.equal(again.size, cameras.size)


def test_intrinsics_may_stand_once_for_all(tmp_path):
    frames = [{"transform_matrix": FRAME["transform_matrix"]}] * 2
    path = write(tmp_path / "p.json", {"camera_angle_x": 1.0, "frames": frames})
    cameras = read_camera_path(path, (200, 100))
    assert cameras.size.tolist() == [[200, 100]] * 2
    assert float(cameras.K[0, 0, 0]) == pytest.approx(100 / 0.5463, rel=1e-3)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({"frames": []}, FormatError),
        ({"frames": "many"}, FormatError),
        ({"frames": [{"fl_x": 50}]}, FormatError),
        ({"frames": [FRAME | {"fl_x": None}]}, FormatError),
        ({"frames": [FRAME | {"k1": 0.1}]}, FormatError),
        ({"frames": [FRAME | {"transform_matrix": (2 * torch.eye(4)).tolist()}]}, GeometryError),
    ],
)
def test_what_is_no_path(tmp_path, content, error):
    with pytest.raises(error):
        read_camera_path(write(tmp_path / "p.json", content), (64, 48))


def test_a_path_that_is_not_there_or_too_long(tmp_path, monkeypatch):
    with pytest.raises(InputError):
        read_camera_path(tmp_path / "none.json", (64, 48))
    monkeypatch.setattr(camera_path, "MAX_FRAMES", 2)
    with pytest.raises(LimitError):
        read_camera_path(write(tmp_path / "p.json", {"frames": [FRAME] * 3}), (64, 48))
