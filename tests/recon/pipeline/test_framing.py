from dataclasses import replace

import pytest
import torch

from recon.errors import GeometryError, InputError
from recon.geometry.frames import UP_IN_FRAME
from recon.geometry.se3 import invert_rigid, rigid, rotation_from_quat
from recon.pipeline.framing import check_framing, reframe
from recon.render import render
from recon.types import Cameras, Gaussians, Provenance, Scene, ViewSet


@pytest.fixture
def scene(generator) -> Scene:
    """A fan of level cameras in a world that is tilted by 30 degrees about x."""
    num = 5
    pan = torch.linspace(-0.6, 0.6, num, dtype=torch.float64) / 2
    zero = torch.zeros_like(pan)
    fan = rotation_from_quat(torch.stack([pan.cos(), zero, pan.sin(), zero], dim=-1))
    tilt = rotation_from_quat(torch.tensor([0.9659258, 0.2588190, 0, 0], dtype=torch.float64))
    pose = invert_rigid(rigid(tilt @ fan, torch.randn(num, 3, generator=generator, dtype=torch.float64) * 0.1))
    K = torch.tensor([[30.0, 0, 16], [0, 30, 12], [0, 0, 1]]).repeat(num, 1, 1)
    cameras = Cameras(pose.float(), K, torch.tensor([[32, 24]] * num))
    views = ViewSet(
        torch.zeros(num, 3, 24, 32), tuple("abcde"), cameras.size, torch.eye(3).repeat(num, 1, 1),
        torch.ones(num, 24, 32, dtype=torch.bool), cameras,
    )  # fmt: skip
    ahead = (tilt @ torch.tensor([0, 0, 3.0], dtype=torch.float64)).float()
    means = torch.randn(30, 3, generator=generator) * 0.5 + ahead
    quats = torch.nn.functional.normalize(torch.randn(30, 4, generator=generator), dim=-1)
    sh = torch.randn(30, 16, 3, generator=generator) * 0.3
    gaussians = Gaussians(means, torch.full((30, 3), 0.1), quats, torch.full((30,), 0.8), sh)
    return Scene(views, gaussians, Provenance("none", "0" * 64, "sfm", {}, {}, 0), report={"kept": 1})


@pytest.mark.parametrize("frame", UP_IN_FRAME)
def test_up_is_where_the_frame_has_it_and_the_picture_stays(scene, frame):
    framed = reframe(scene, frame, "auto")
    assert framed.up == pytest.approx(UP_IN_FRAME[frame], abs=1e-6)
    level = framed.cameras.world_from_cam[:, :3, 0] @ torch.tensor(UP_IN_FRAME[frame], dtype=torch.float32)
    assert float(level.abs().max()) < 1e-3
    before, after = render(scene.gaussians, scene.cameras).color, render(framed.gaussians, framed.cameras).color
    torch.testing.assert_close(after, before, atol=1e-5, rtol=0)


def test_the_report_tells_the_turn(scene):
    framed = reframe(scene, "blender", "auto")
    record = framed.report["frame"]
    assert framed.report["kept"] == 1
    assert "frame" not in scene.report
    assert record["name"] == "blender"
    turn = torch.tensor(record["frame_from_reconstruction"])
    back = scene.cameras.world_from_cam @ torch.eye(4)
    torch.testing.assert_close(turn @ back, framed.cameras.world_from_cam, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("up", ["auto", "none", "-y", "0,0,1"])
def test_without_a_frame_no_number_changes(scene, up):
    framed = reframe(scene, None, up)
    assert framed.gaussians is scene.gaussians
    assert framed.cameras is scene.cameras
    assert framed.report == scene.report
    assert (framed.up is None) == (up == "none")


def test_without_up_a_frame_is_a_change_of_axes(scene):
    framed = reframe(scene, "opengl", "none")
    torch.testing.assert_close(framed.gaussians.means, scene.gaussians.means * torch.tensor([1.0, -1, -1]))


def test_up_can_be_said(scene):
    framed = reframe(scene, "blender", "+x")
    torch.testing.assert_close(framed.gaussians.means[:, 2], scene.gaussians.means[:, 0], atol=1e-6, rtol=0)


def test_cameras_that_do_not_tell_up_stop_only_the_one_who_asks(scene):
    cameras = scene.cameras
    spin = cameras.cam_from_world[:2].clone()
    spin[1] = torch.diag(torch.tensor([-1.0, -1, 1, 1])) @ spin[0]
    turned = replace(scene, views=scene.views[[0, 1]].with_cameras(replace(cameras[[0, 1]], cam_from_world=spin)))
    assert reframe(turned).up is None
    with pytest.raises(GeometryError, match="up"):
        reframe(turned, "opengl")


@pytest.mark.parametrize(("frame", "up"), [("maya", "auto"), (None, "sideways"), ("opengl", "0,0,0")])
def test_words_without_meaning(frame, up):
    with pytest.raises(InputError):
        check_framing(frame, up)
