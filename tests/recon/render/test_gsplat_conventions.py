"""Our projection and the call of gsplat against the installed gsplat (its CPU functions; no GPU is needed)."""

import inspect

import pytest
import torch

from recon.render import RasterConfig, get_rasterizer
from recon.render.gsplat_backend import installed_max_alpha, rasterization_arguments
from recon.render.splats import project_splats

gsplat = pytest.importorskip("gsplat")


@pytest.mark.parametrize("depth", [False, True])
def test_the_call_fits_the_installed_signature(make_scene, depth):
    scene = make_scene(5)
    arguments = rasterization_arguments(
        scene.means, scene.quats, scene.scales, scene.opacities, scene.colors, scene.viewmats, scene.Ks, 50, 35,
        sh_degree=None, backgrounds=scene.backgrounds, depth=depth, config=RasterConfig(),
    )  # fmt: skip
    inspect.signature(gsplat.rasterization).bind(**arguments)


def test_defaults_are_those_of_gsplat():
    parameters = inspect.signature(gsplat.rasterization).parameters
    config = RasterConfig()
    for name in ("near_plane", "far_plane", "eps2d", "radius_clip", "rasterize_mode"):
        assert getattr(config, name) == parameters[name].default, name
    assert installed_max_alpha() in (0.999, 0.99)


@pytest.mark.parametrize("mode", ["classic", "antialiased"])
def test_projection_is_that_of_gsplat(make_scene, mode):
    reference = pytest.importorskip("gsplat.cuda._torch_impl")
    scene = make_scene(300)
    covariances, _ = reference._quat_scale_to_covar_preci(scene.quats, scene.scales, True, False)
    radii, means2d, depths, conics, compensations = reference._fully_fused_projection(
        scene.means, covariances, scene.viewmats, scene.Ks, scene.width, scene.height, calc_compensations=True
    )
    for camera in range(2):
        splats = project_splats(
            scene.means, scene.quats, scene.scales, scene.opacities, scene.viewmats[camera], scene.Ks[camera],
            (scene.width, scene.height), RasterConfig(rasterize_mode=mode),
        )  # fmt: skip
        assert len(splats.index) > 100
        torch.testing.assert_close(splats.mean_px, means2d[camera, splats.index])
        torch.testing.assert_close(splats.conic, conics[camera, splats.index])
        torch.testing.assert_close(splats.depth, depths[camera, splats.index])
        factor = compensations[camera, splats.index] if mode == "antialiased" else 1.0
        torch.testing.assert_close(splats.opacity, scene.opacities[splats.index] * factor)
        # whoever gsplat sees and we do not reaches no pixel with 1/255: the exact extent is smaller than its radius
        assert set(splats.index.tolist()) <= set((radii[camera] > 0).all(-1).nonzero().flatten().tolist())


def test_depth_is_the_last_channel_that_gsplat_returns(make_scene, monkeypatch, caplog):
    scene = make_scene(5)
    rendered = torch.arange(2 * 35 * 50 * 4.0).reshape(2, 35, 50, 4)
    seen = {}

    def stand_in(**arguments):
        seen.update(arguments)
        return rendered[..., : 4 if arguments["render_mode"] == "RGB+ED" else 3], torch.ones(2, 35, 50, 1), {}

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(gsplat, "rasterization", stand_in)
    rasterizer = get_rasterizer("auto", "cuda")
    assert rasterizer.name == "gsplat"
    with_depth = scene.render(rasterizer, depth=True)
    assert with_depth.depth is not None
    assert torch.equal(with_depth.depth, rendered[..., 3:])
    assert torch.equal(with_depth.color, rendered[..., :3])
    other = RasterConfig(near_plane=0.5, rasterize_mode="antialiased", max_alpha=0.5)
    assert scene.render(rasterizer, config=other).depth is None
    assert (seen["near_plane"], seen["rasterize_mode"]) == (0.5, "antialiased")
    assert "caps alpha" in caplog.text
