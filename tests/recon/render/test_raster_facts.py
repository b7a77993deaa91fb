"""What is known of an image without another renderer."""

import math

import pytest
import torch

from recon.errors import GeometryError, LimitError
from recon.render import RasterConfig, get_rasterizer

NAMES = ["cpu", "torch", "oracle"]


@pytest.fixture(params=NAMES)
def rasterizer(request):
    return get_rasterizer(request.param)


def _is_background(scene, rendering) -> bool:
    background = scene.backgrounds[:, None, None].expand_as(rendering.color)
    return bool((rendering.color == background).all() and (rendering.alpha == 0).all())


def _single(make_scene, *, opacity: float, sigma: float):
    """One round Gaussian in the middle of an image of 21 x 21 pixels, at depth 2."""
    scene = make_scene(1, width=21, height=21, num_cameras=1)
    K = torch.tensor([[[20.0, 0, 10.5], [0, 20, 10.5], [0, 0, 1]]], dtype=torch.float64)
    return scene.with_(
        means=torch.tensor([[0, 0, 2.0]], dtype=torch.float64),
        scales=torch.full((1, 3), sigma, dtype=torch.float64),
        opacities=torch.tensor([opacity], dtype=torch.float64),
        viewmats=torch.eye(4, dtype=torch.float64)[None],
        Ks=K,
    )


def test_profile_of_a_single_gaussian(rasterizer, make_scene):
    scene = _single(make_scene, opacity=0.8, sigma=0.2)
    alpha = scene.render(rasterizer).alpha[0, 10, :, 0]
    variance = (20 * 0.2 / 2) ** 2 + 0.3
    expected = 0.8 * torch.exp(-(torch.arange(-10, 11, dtype=torch.float64) ** 2) / (2 * variance))
    expected[expected < 1 / 255] = 0
    torch.testing.assert_close(alpha, expected)


def test_antialiasing_keeps_the_energy_of_a_small_gaussian(rasterizer, make_scene):
    scene = _single(make_scene, opacity=0.99, sigma=0.04)
    variance = (20 * 0.04 / 2) ** 2
    alpha = scene.render(rasterizer, config=RasterConfig(rasterize_mode="antialiased")).alpha
    factor = math.sqrt(variance**2 / (variance + 0.3) ** 2)
    assert float(alpha.max()) == pytest.approx(0.99 * factor)


def test_alpha_is_capped(rasterizer, make_scene):
    scene = _single(make_scene, opacity=1.0, sigma=2.0)
    assert float(scene.render(rasterizer).alpha.max()) == pytest.approx(0.999, abs=1e-12)
    assert float(scene.render(rasterizer, config=RasterConfig(max_alpha=0.9)).alpha.max()) == pytest.approx(0.9)


def test_depth_of_a_single_gaussian_is_its_own(rasterizer, make_scene):
    rendering = _single(make_scene, opacity=0.5, sigma=0.2).render(rasterizer, depth=True)
    assert rendering.depth is not None
    covered = rendering.alpha > 0
    torch.testing.assert_close(rendering.depth[covered], torch.full_like(rendering.depth[covered], 2.0))
    assert (rendering.depth[~covered] == 0).all()


def test_no_gaussians(rasterizer, make_scene):
    scene = make_scene(4).gaussians(torch.zeros(4, dtype=torch.bool))
    assert _is_background(scene, scene.render(rasterizer))
    assert scene.gradients(rasterizer)["means"].shape == (0, 3)


def test_all_behind_the_cameras(rasterizer, make_scene):
    scene = make_scene(20)
    means = scene.means.clone()
    means[:, 2] = -means[:, 2].abs() - 1
    scene = scene.with_(means=means)
    assert _is_background(scene, scene.render(rasterizer))
    assert all((scene.gradients(rasterizer)[name] == 0).all() for name in ("means", "colors", "viewmats"))


def test_opacities_below_one_255th_are_invisible(rasterizer, make_scene):
    scene = make_scene(20)
    scene = scene.with_(opacities=torch.full_like(scene.opacities, 0.9999 / 255))
    assert _is_background(scene, scene.render(rasterizer))
    assert (scene.gradients(rasterizer)["opacities"] == 0).all()


def test_equal_depths_keep_the_order_of_the_gaussians(rasterizer, make_scene):
    one = _single(make_scene, opacity=0.6, sigma=0.5)
    twice = one.gaussians(torch.tensor([0, 0]))
    colors = torch.tensor([[1.0, 0, 0], [0, 1, 0]], dtype=torch.float64)
    red, green, _ = (
        twice.with_(colors=colors, backgrounds=torch.zeros_like(one.backgrounds)).render(rasterizer).color[0, 10, 10]
    )
    assert float(red) == pytest.approx(0.6)
    assert float(green) == pytest.approx(0.4 * 0.6)


def test_near_and_far_planes(rasterizer, make_scene):
    scene = _single(make_scene, opacity=0.6, sigma=0.5)
    for config in (RasterConfig(near_plane=2.1), RasterConfig(far_plane=1.9), RasterConfig(radius_clip=50.0)):
        assert _is_background(scene, scene.render(rasterizer, config=config))


@pytest.mark.parametrize("field", ["means", "quats", "scales", "opacities", "colors"])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_gaussians_that_are_not_finite_are_left_out(rasterizer, make_scene, field, bad):
    scene = make_scene(30)
    spoiled = getattr(scene, field).clone()
    spoiled[3:5] = bad
    kept = torch.ones(30, dtype=torch.bool)
    kept[3:5] = False
    expected = scene.gaussians(kept).gradients(rasterizer)
    found = scene.with_(**{field: spoiled}).gradients(rasterizer)
    torch.testing.assert_close(found["image 0"], expected["image 0"])
    assert all(value.isfinite().all() for name, value in found.items())
    torch.testing.assert_close(found["means"][kept], expected["means"])


def test_zero_quaternions_are_left_out(rasterizer, make_scene):
    scene = make_scene(30)
    quats = scene.quats.clone()
    quats[3] = 0
    kept = torch.arange(30) != 3
    expected = scene.gaussians(kept).render(rasterizer).color
    torch.testing.assert_close(scene.with_(quats=quats).render(rasterizer).color, expected)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (15, 17), (16, 16), (33, 5)])
def test_any_size_is_a_cut_of_a_larger_image(rasterizer, make_scene, generator, width, height):
    scene = make_scene(60, width=48, height=48, num_cameras=1)
    # centres within the small image: for others the limits of the Jacobian depend on the size
    pixels = torch.rand(60, 2, generator=generator, dtype=torch.float64) * torch.tensor([width, height])
    depth = scene.means[:, 2:].abs()
    offset = (pixels - scene.Ks[0, :2, 2]) / scene.Ks[0].diagonal()[:2]
    means = torch.cat([offset * depth, depth], dim=1)
    scene = scene.with_(means=means, viewmats=torch.eye(4, dtype=torch.float64)[None])
    small = scene.with_(width=width, height=height).render(rasterizer).color
    torch.testing.assert_close(small, scene.render(rasterizer).color[:, :height, :width], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("field", "shape"), [("means", (30, 4)), ("quats", (29, 4)), ("colors", (30, 4, 3)), ("backgrounds", (2, 4))]
)
def test_wrong_shapes_are_named(rasterizer, make_scene, field, shape):
    scene = make_scene(30).with_(**{field: torch.zeros(shape, dtype=torch.float64)})
    with pytest.raises(Exception, match=field):  # the type checker of the tests may be first
        scene.render(rasterizer)


def test_too_few_coefficients(rasterizer, make_scene):
    scene = make_scene(5, sh_degree=1).with_(sh_degree=2)
    with pytest.raises(GeometryError, match="sh_degree 2"):
        scene.render(rasterizer)


def test_half_precision_is_refused_with_a_hint(rasterizer, make_scene):
    with pytest.raises(GeometryError, match="float"):
        make_scene(5).to(torch.bfloat16).render(rasterizer)


def test_no_camera(rasterizer, make_scene):
    scene = make_scene(5)
    none = scene.with_(viewmats=scene.viewmats[:0], Ks=scene.Ks[:0], backgrounds=scene.backgrounds[:0])
    with pytest.raises(GeometryError, match="no camera"):
        none.render(rasterizer)


def test_more_tile_entries_than_can_be_numbered_are_a_typed_error(make_scene, monkeypatch):
    frame = pytest.importorskip("recon.render.cpu.frame")
    monkeypatch.setattr(frame, "_MAX_ENTRIES", 10)
    with pytest.raises(LimitError, match="at most 10"):
        make_scene(200).render(get_rasterizer("cpu"))
