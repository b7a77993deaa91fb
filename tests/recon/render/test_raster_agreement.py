"""The rasterisers give the image that the dense definition gives, and its gradients."""

import pytest
import torch

from recon.render import RasterConfig, get_rasterizer

# gsplat 1.6's constants, so that the parameters are seen to matter
ANTIALIASED = RasterConfig(rasterize_mode="antialiased", max_alpha=0.99, min_compensation=0.005**2)


def _assert_close(found: dict, expected: dict, tolerance: float) -> None:
    for name, value in expected.items():
        error = float((found[name].double() - value.double()).abs().max() / value.double().abs().max())
        assert error < tolerance, f"{name}: {error:.1e}"


@pytest.mark.parametrize("name", ["cpu", "torch"])
@pytest.mark.parametrize("config", [RasterConfig(), ANTIALIASED], ids=["classic", "antialiased"])
def test_image_depth_and_gradients_in_double_precision(name, config, make_scene):
    scene = make_scene(400)
    expected = scene.gradients(get_rasterizer("oracle"), depth=True, config=config)
    _assert_close(scene.gradients(get_rasterizer(name), depth=True, config=config), expected, 1e-11)


@pytest.mark.parametrize("name", ["cpu", "torch"])
def test_image_depth_and_gradients_in_single_precision(name, make_scene):
    scene = make_scene(400).to(torch.float32)
    expected = scene.gradients(get_rasterizer("oracle"), depth=True)
    _assert_close(scene.gradients(get_rasterizer(name), depth=True), expected, 1e-4)


@pytest.mark.parametrize("sh_degree", [0, 1, 2, 3])
def test_spherical_harmonics(sh_degree, make_scene):
    scene = make_scene(150, sh_degree=sh_degree)
    _assert_close(scene.gradients(get_rasterizer("cpu")), scene.gradients(get_rasterizer("oracle")), 1e-11)


@pytest.mark.parametrize("name", ["cpu", "torch"])
def test_colors_per_camera(name, make_scene):
    scene = make_scene(150)
    scene = scene.with_(colors=torch.stack([scene.colors, 1 - scene.colors]))
    _assert_close(scene.gradients(get_rasterizer(name)), scene.gradients(get_rasterizer("oracle")), 1e-11)


@pytest.mark.parametrize("name", ["cpu", "torch", "oracle"])
def test_cameras_are_rendered_independently(name, make_scene):
    scene = make_scene(150, num_cameras=3)
    together = scene.render(get_rasterizer(name), depth=True)
    for i in range(3):
        one = slice(i, i + 1)
        alone = scene.with_(viewmats=scene.viewmats[one], Ks=scene.Ks[one], backgrounds=scene.backgrounds[one])
        for image, of_all in zip(alone.render(get_rasterizer(name), depth=True), together, strict=True):
            torch.testing.assert_close(image, of_all[one])


@pytest.mark.parametrize("config", [RasterConfig(), ANTIALIASED], ids=["classic", "antialiased"])
def test_gradcheck(config, make_scene):
    scene = make_scene(9, width=7, height=6)
    opacities = scene.opacities.clone()
    opacities[1:4] = 1.0  # the cap of alpha is met
    scales = scene.scales.clone()
    scales[4] *= 0.02
    scales[5] *= 30
    names = ["means", "quats", "scales", "opacities", "colors", "viewmats", "backgrounds"]
    scene = scene.with_(opacities=opacities, scales=scales)
    leaves = [getattr(scene, name).requires_grad_() for name in names]

    def image(*tensors):
        given = scene.with_(**dict(zip(names, tensors, strict=True)))
        return tuple(given.render(get_rasterizer("cpu"), depth=True, config=config))

    assert torch.autograd.gradcheck(image, leaves, eps=1e-7, atol=2e-5, rtol=1e-3, nondet_tol=0.0)


@pytest.mark.parametrize("name", ["cpu", "torch"])
def test_autocast_does_not_lower_the_precision(name, make_scene):
    scene = make_scene(100, sh_degree=2).to(torch.float32)
    expected = scene.render(get_rasterizer(name))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = scene.render(get_rasterizer(name))
    assert torch.equal(found.color, expected.color)
