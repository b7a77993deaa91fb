from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.hub import save_pretrained
from models.ilrm.config import DL3DV_WIDE, RE10K_2VIEW, ILRMConfig
from models.ilrm.network import ILRM
from models.ilrm.processor import init_normal
from models.ilrm.reconstructor import ILRMReconstructor, normalised_cameras, on_grid
from recon.errors import CheckpointError, InputError
from recon.geometry.normalise import normalise_cameras
from recon.geometry.se3 import invert_rigid, rigid, rotation_from_quat
from recon.geometry.similarity import Similarity, transform_cameras, transform_gaussians
from recon.render.rasterizer import render
from recon.types import Cameras, Gaussians, ViewSet

SMALL = {"dim": 32, "head_dim": 16, "num_layers": 1, "patch": 4}
FULL, HALF = replace(RE10K_2VIEW, **SMALL), replace(DL3DV_WIDE, **SMALL)
SIDE = 32


@pytest.fixture(autouse=True)
def float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Symmetries hold to the digits of float32 on every machine."""
    off = torch.autocast("cpu", enabled=False)
    monkeypatch.setattr("models.ilrm.reconstructor.bfloat16_where_fast", lambda _: off)


@pytest.fixture(params=[FULL, HALF], ids=["full", "half"])
def config(request: pytest.FixtureRequest) -> ILRMConfig:
    return request.param


@pytest.fixture
def reconstructor(config: ILRMConfig, tmp_path: Path) -> ILRMReconstructor:
    torch.manual_seed(0)
    network = ILRM(config)
    init_normal(network, std=0.2)  # so that Gaussians differ in all that they say
    save_pretrained(tmp_path / "weights", "ilrm", network, config)
    return ILRMReconstructor(str(tmp_path / "weights"))


def views(generator: torch.Generator, num: int = 3) -> ViewSet:
    """Noise, seen by cameras side by side that are turned a little."""
    turn = torch.tensor([[1.0, 0.05 * i, 0.1 * i - 0.1, 0.02] for i in range(num)])
    rotation = rotation_from_quat(torch.nn.functional.normalize(turn, dim=-1))
    centres = torch.tensor([[0.4 * i - 0.1, 0.1 * i * i, 0.05 * i] for i in range(num)])
    K = torch.tensor([[30.0, 0, SIDE / 2 + 1], [0, 28, SIDE / 2], [0, 0, 1]]).expand(num, 3, 3).contiguous()
    size = torch.full((num, 2), SIDE)
    return ViewSet(
        images=torch.rand(num, 3, SIDE, SIDE, generator=generator),
        names=tuple(f"{i}.jpg" for i in range(num)),
        original_size=size,
        crop_from_original=torch.eye(3).expand(num, 3, 3),
        masks=torch.ones(num, SIDE, SIDE, dtype=torch.bool),
        cameras=Cameras(invert_rigid(rigid(rotation, centres)), K, size),
    )


def similarity() -> Similarity:
    quat = torch.nn.functional.normalize(torch.tensor([0.3, -0.8, 0.4, 0.5], dtype=torch.float64), dim=0)
    return Similarity(rotation_from_quat(quat), torch.tensor([3.0, -2.0, 7.0], dtype=torch.float64), 2.5)


def require_equal(found: Gaussians, expected: Gaussians, tolerance: float) -> None:
    assert len(found) == len(expected) > 0
    extent = float(expected.means.abs().max())
    assert float((found.means - expected.means).abs().max()) < tolerance * extent
    assert torch.allclose(found.scales, expected.scales, rtol=tolerance)
    turned = (found.quats * expected.quats).sum(1).abs()  # q and -q are one rotation
    assert float((1 - turned).max()) < tolerance
    assert torch.allclose(found.opacities, expected.opacities, atol=tolerance)
    assert torch.allclose(found.sh, expected.sh, atol=tolerance * float(expected.sh.abs().max()))


def test_gaussians_move_with_the_given_world(reconstructor, generator):
    given = views(generator)
    moved = given.with_cameras(transform_cameras(given.posed_cameras, similarity()))
    expected = transform_gaussians(reconstructor.reconstruct(given), similarity())
    require_equal(reconstructor.reconstruct(moved), expected, tolerance=1e-3)


def test_pictures_are_those_of_the_normalised_world(reconstructor, config, generator):
    given = views(generator)
    gaussians = reconstructor.reconstruct(given).validate()
    poses, normalised = normalised_cameras(given.posed_cameras.cam_from_world, config.scale_from)
    with torch.no_grad():
        raw = reconstructor.network(given.images[None], poses[None], given.posed_cameras.K[None]).scene(0)
    seen = render(gaussians, given.posed_cameras).color
    expected = render(raw, replace(given.posed_cameras, cam_from_world=invert_rigid(poses))).color
    assert float(expected.std()) > 0.01
    assert float((seen - expected).abs().max()) < 2e-3
    assert normalised.scale != pytest.approx(1)


@pytest.mark.parametrize("scale_from", ["raw", "centred"])
def test_cameras_are_those_of_training_where_the_first_is_the_identity(scale_from, generator):
    given = views(generator).posed_cameras.cam_from_world
    given = given @ invert_rigid(given[0])
    world_from_cam = invert_rigid(given)
    expected = normalise_cameras(world_from_cam, scale_from=scale_from).apply(world_from_cam)
    assert torch.allclose(normalised_cameras(given, scale_from)[0], expected, atol=1e-6)


def test_there_is_one_gaussian_for_each_pixel_of_the_viewpoint_grid(reconstructor, config, generator):
    grid = SIDE // config.viewpoint_factor
    assert len(reconstructor.reconstruct(views(generator))) == 3 * grid * grid
    assert reconstructor.multiple == 4 * config.viewpoint_factor
    assert reconstructor.max_views == (2 if config is FULL else 16)


def test_pixels_outside_the_mask_make_no_gaussians(reconstructor, config, generator):
    whole = views(generator)
    masks = whole.masks.clone()
    masks[1] = False
    masks[:, :, : SIDE // 2] = False
    all_of_them = reconstructor.reconstruct(whole)
    shown = on_grid(masks, config.viewpoint_factor).flatten()
    require_equal(reconstructor.reconstruct(replace(whole, masks=masks)), all_of_them[shown], tolerance=1e-6)
    assert int(shown.sum()) == len(all_of_them) / 3


def test_what_is_never_drawn_is_left_out(reconstructor, generator):
    given = views(generator)
    before = reconstructor.reconstruct(given)
    decode = reconstructor.network.decode

    def fainter(*arguments):
        batch = decode(*arguments)
        return batch._replace(opacities=torch.where(batch.opacities < batch.opacities.median(), 0.003, 0.5))

    reconstructor.network.decode = fainter
    assert len(reconstructor.reconstruct(given)) == pytest.approx(len(before) / 2, abs=2)


def test_a_grid_pixel_counts_where_half_of_it_is_covered():
    mask = torch.tensor([[1, 1, 1, 0, 0, 0], [1, 1, 0, 1, 1, 0]], dtype=torch.bool)
    assert on_grid(mask[None], 2).tolist() == [[[True, True, False]]]
    assert torch.equal(on_grid(mask[None], 1), mask[None])


def test_one_view_is_refused(reconstructor, generator):
    with pytest.raises(InputError, match="at least two"):
        reconstructor.reconstruct(views(generator, num=1))


def test_memory_grows_with_the_pictures(reconstructor):
    small, large = reconstructor.memory_bytes(2, 256, 256), reconstructor.memory_bytes(4, 256, 256)
    assert small < large < 2 * small


def test_weights_of_another_network_are_refused():
    with pytest.raises(CheckpointError, match="ilrm-nano, expected ilrm"):
        ILRMReconstructor("ilrm-nano")
