"""Which rasteriser is chosen, and the call with the project's types."""

import importlib.util
import logging

import pytest
import torch

from recon.errors import GeometryError, InputError, ResourceError
from recon.render import RasterConfig, Rasterizer, get_rasterizer, render
from recon.types import Cameras, Gaussians


@pytest.mark.parametrize("name", ["cpu", "torch", "oracle"])
def test_by_name(name):
    rasterizer = get_rasterizer(name)
    assert rasterizer.name == name
    assert isinstance(rasterizer, Rasterizer)


def test_auto_is_the_compiled_one_on_the_cpu():
    assert get_rasterizer("auto", "cpu").name == "cpu"


def test_without_numba_auto_is_torch_and_says_so(monkeypatch, caplog):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with caplog.at_level(logging.WARNING):
        assert get_rasterizer("auto").name == "torch"
    assert "numba" in caplog.text
    with pytest.raises(ResourceError, match="numba"):
        get_rasterizer("cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="states what happens without CUDA")
def test_gsplat_without_cuda_is_a_typed_error():
    with pytest.raises(ResourceError, match="CUDA") as caught:
        get_rasterizer("gsplat")
    assert "cpu" in caught.value.hint
    with pytest.raises(ResourceError):
        get_rasterizer("auto", "cuda")


def test_unknown_names_are_refused():
    with pytest.raises(Exception, match="vulkan") as caught:  # the type checker of the tests may be first
        get_rasterizer("vulkan")  # pyright: ignore[reportArgumentType]
    assert isinstance(caught.value, InputError) or "Literal" in str(caught.value)


@pytest.fixture
def types(make_scene):
    scene = make_scene(40, sh_degree=1).to(torch.float32)
    quats = torch.nn.functional.normalize(scene.quats, dim=1)
    gaussians = Gaussians(scene.means, scene.scales, quats, scene.opacities, scene.colors)
    size = torch.tensor([[scene.width, scene.height]] * 2)
    return scene, gaussians.validate(), Cameras(scene.viewmats, scene.Ks, size).validate()


def test_render_is_the_call_with_tensors(types):
    scene, gaussians, cameras = types
    background = torch.tensor([0.1, 0.2, 0.3])
    expected = scene.with_(quats=gaussians.quats, backgrounds=background.expand(2, 3))
    expected = expected.render(get_rasterizer("cpu"), depth=True)
    found = render(gaussians, cameras, background=background, depth=True)
    for image, of_tensors in zip(found, expected, strict=True):
        torch.testing.assert_close(image, of_tensors)
    assert found.color.shape == (2, scene.height, scene.width, 3)


def test_render_is_black_behind_and_without_depth_by_default(types):
    _, gaussians, cameras = types
    nothing = render(gaussians[:0], cameras, config=RasterConfig())
    assert nothing.depth is None
    assert (nothing.color == 0).all()


def test_cameras_of_different_sizes_are_refused(types):
    _, gaussians, cameras = types
    mixed = Cameras(cameras.cam_from_world, cameras.K, torch.tensor([[50, 35], [35, 50]]))
    with pytest.raises(GeometryError, match="2 different sizes"):
        render(gaussians, mixed)
