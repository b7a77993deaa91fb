import math
from dataclasses import replace

import pytest
import torch

from app.benchmarks.nvs_protocol import every_second_upright
from models.hub import save_pretrained
from models.ilrm.nano.network import NanoILRM
from models.ilrm.nano.reconstructor import NanoReconstructor, nearest_depth
from recon.errors import InputError
from recon.geometry.se3 import invert_rigid, rigid, rotation_from_quat
from recon.metrics.image import psnr
from recon.render.rasterizer import render
from recon.types import Cameras, ViewSet
from tests.models import walls

SMALL = replace(walls.SMALL, coarse_planes=8)
SIDE = 64


@pytest.fixture
def reconstructor(tmp_path) -> NanoReconstructor:
    torch.manual_seed(0)
    save_pretrained(tmp_path / "small", "ilrm-nano", NanoILRM(SMALL), SMALL)
    return NanoReconstructor(str(tmp_path / "small"))


def views(cam_from_world: torch.Tensor, generator: torch.Generator) -> ViewSet:
    num = len(cam_from_world)
    K = torch.tensor([[60.0, 0, SIDE / 2], [0, 60, SIDE / 2], [0, 0, 1]]).expand(num, 3, 3).contiguous()
    size = torch.full((num, 2), SIDE)
    return ViewSet(
        images=torch.rand(num, 3, SIDE, SIDE, generator=generator),
        names=tuple(f"{i}.jpg" for i in range(num)),
        original_size=size,
        crop_from_original=torch.eye(3).expand(num, 3, 3),
        masks=torch.ones(num, SIDE, SIDE, dtype=torch.bool),
        cameras=Cameras(cam_from_world, K, size),
    )


def ring(num: int) -> torch.Tensor:
    """Cameras on a level circle of radius 2 around the origin, looking inwards."""
    angle = torch.arange(num) * 2 * math.pi / num
    rotation = rotation_from_quat(torch.stack([(angle / 2).cos(), 0 * angle, (angle / 2).sin(), 0 * angle], dim=-1))
    return invert_rigid(rigid(rotation, -2 * rotation[:, :, 2]))


def test_a_full_ring_of_cameras_is_no_special_case(reconstructor, generator):
    gaussians = reconstructor.reconstruct(views(ring(8), generator)).validate()
    assert 0 < len(gaussians) <= 8 * SIDE * SIDE


def test_pixels_outside_the_mask_make_no_gaussians(reconstructor, generator):
    full = views(ring(3), generator)
    half = full.masks.clone()
    half[:, :, : SIDE // 2] = False
    masked = ViewSet(**(vars(full) | {"masks": half}))
    assert len(reconstructor.reconstruct(masked)) <= 3 * SIDE * SIDE // 2


def test_a_portrait_among_landscapes_spoils_nothing():
    """With the shipped weights: three photographs of a wall, of which the middle one shows half of its canvas."""
    wall, given, held_back = walls.wall(0), [0, 4, 7], [2, 5]
    size = torch.full((8, 2), SIDE)
    cameras = Cameras(torch.from_numpy(wall.cam_from_world), torch.from_numpy(wall.K), size)
    pictures = torch.from_numpy(wall.images).permute(0, 3, 1, 2) / 255
    whole = replace(views(cameras.cam_from_world[given], torch.Generator()), images=pictures[given])
    whole = replace(whole, cameras=cameras[given])
    reconstructor = NanoReconstructor()
    scores = [
        psnr(render(gaussians, cameras[held_back]).color.permute(0, 3, 1, 2), pictures[held_back]).mean()
        for gaussians in map(reconstructor.reconstruct, (whole, every_second_upright(whole)))
    ]
    assert scores[1] > scores[0] - 0.5


def test_near_points_bring_the_depth_range_nearer(reconstructor, generator, monkeypatch):
    units, forward = [], reconstructor.network.forward

    def spy(images, cam_from_world, K, unit, bounds):
        units.append(float(unit))
        return forward(images, cam_from_world, K, unit, bounds)

    monkeypatch.setattr(reconstructor.network, "forward", spy)
    scene = views(ring(8)[:3], generator)
    for distance in (1.6, -60.0):
        reconstructor.reconstruct(scene, points=torch.tensor([[0.0, 0.0, -distance]]).repeat(50, 1))
    assert units == pytest.approx([0.8 * 0.4 / 0.6, 2 * 2**0.5], rel=1e-3)


def test_one_view_is_refused(reconstructor, generator):
    with pytest.raises(InputError, match="at least two"):
        reconstructor.reconstruct(views(ring(8)[:1], generator))


def test_only_points_inside_a_photograph_count():
    cameras = Cameras(
        torch.eye(4)[None], torch.tensor([[[60.0, 0, 32], [0, 60, 32], [0, 0, 1]]]), torch.tensor([[64, 64]])
    )
    seen, beside, behind = [0.0, 0.0, 5.0], [30.0, 0.0, 1.0], [0.0, 0.0, -1.0]
    assert float(nearest_depth(torch.tensor([seen, beside, behind]), cameras) or 0) == pytest.approx(4.0)
    assert nearest_depth(torch.tensor([beside, behind]), cameras) is None


def test_a_great_many_points_are_thinned_out():
    num = 20
    K = torch.tensor([[60.0, 0, 32], [0, 60, 32], [0, 0, 1]]).expand(num, 3, 3)
    cameras = Cameras(torch.eye(4).repeat(num, 1, 1), K, torch.full((num, 2), 64))
    points = torch.tensor([0.0, 0.0, 3.0]).repeat(1_000_000, 1)
    assert float(nearest_depth(points, cameras) or 0) == pytest.approx(2.4)
