"""Every noun accepts what it describes, and names what is wrong with anything else."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from recon.errors import GeometryError, InputError
from recon.types import (
    Cameras,
    Gaussians,
    Mesh,
    Photograph,
    PointMap,
    PoseEstimate,
    PoseReport,
    Provenance,
    Scene,
    ViewSet,
)
from recon.types.checks import require_shape

NAN = float("nan")


def make_cameras(num: int = 3, width: int = 8, height: int = 6) -> Cameras:
    generator = torch.Generator().manual_seed(0)
    matrices = torch.eye(4).repeat(num, 1, 1)
    matrices[:, :3, :3] = torch.linalg.qr(torch.randn(num, 3, 3, generator=generator))[0]
    matrices[:, :3, :3] *= torch.linalg.det(matrices[:, :3, :3])[:, None, None]
    matrices[:, :3, 3] = torch.randn(num, 3, generator=generator)
    K = torch.tensor([[8.0, 0.0, width / 2], [0.0, 8.0, height / 2], [0.0, 0.0, 1.0]]).repeat(num, 1, 1)
    return Cameras(matrices, K, torch.tensor([[width, height]]).repeat(num, 1))


def make_gaussians(num: int = 5, coefficients: int = 4) -> Gaussians:
    generator = torch.Generator().manual_seed(0)
    return Gaussians(
        means=torch.randn(num, 3, generator=generator),
        scales=torch.rand(num, 3, generator=generator) + 0.1,
        quats=torch.nn.functional.normalize(torch.randn(num, 4, generator=generator), dim=1),
        opacities=torch.rand(num, generator=generator),
        sh=torch.randn(num, coefficients, 3, generator=generator),
    )


def make_views(num: int = 3) -> ViewSet:
    return ViewSet(
        images=torch.zeros(num, 3, 6, 8),
        names=tuple(f"{i}.jpg" for i in range(num)),
        original_size=torch.tensor([[16, 12]]).repeat(num, 1),
        crop_from_original=torch.eye(3).repeat(num, 1, 1),
        masks=torch.ones(num, 6, 8, dtype=torch.bool),
        cameras=make_cameras(num),
    )


def make_mesh() -> Mesh:
    return Mesh(torch.eye(3), torch.tensor([[0, 1, 2]]), normals=torch.eye(3), vertex_colors=torch.rand(3, 3))


def changed(tensor: torch.Tensor, index: tuple[int, ...], value: float) -> torch.Tensor:
    copy = tensor.clone()
    copy[index] = value
    return copy


def test_camera_centre_is_the_origin_of_the_camera() -> None:
    cameras = make_cameras().validate()
    identity = cameras.cam_from_world @ cameras.world_from_cam
    torch.testing.assert_close(identity, torch.eye(4).expand(3, 4, 4), atol=1e-5, rtol=0)
    seen = torch.einsum("nij,nj->ni", cameras.cam_from_world[:, :3, :3], cameras.centers)
    torch.testing.assert_close(seen, -cameras.cam_from_world[:, :3, 3], atol=1e-5, rtol=0)


def test_parts_can_be_taken() -> None:
    gaussians = make_gaussians()
    near = gaussians.means[:, 0] < gaussians.means[0, 0]
    assert torch.equal(gaussians[near].sh, gaussians.sh[near])
    assert len(make_cameras()[[0, 2]]) == len(make_views()[[0, 2]]) == 2
    assert make_views()[[2, 0]].names == ("2.jpg", "0.jpg")
    assert (make_views().width, make_views().height) == (8, 6)
    assert len(make_cameras().to("cpu")) == 3
    assert not gaussians.to("cpu").detach().means.requires_grad


@pytest.mark.parametrize(("coefficients", "degree"), [(1, 0), (4, 1), (9, 2), (16, 3)])
def test_degree_follows_from_the_coefficients(coefficients: int, degree: int) -> None:
    assert make_gaussians(coefficients=coefficients).validate().sh_degree == degree


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda c: replace(c, cam_from_world=changed(c.cam_from_world, (1, 0, 3), NAN)), "NaN"),
        (lambda c: replace(c, cam_from_world=changed(c.cam_from_world, (1, 0, 0), 2.0)), "camera 1: .* not a rotation"),
        (lambda c: replace(c, cam_from_world=c.cam_from_world * torch.tensor([-1.0, 1, 1, 1])), "reflection"),
        (lambda c: replace(c, cam_from_world=changed(c.cam_from_world, (2, 3, 0), 1.0)), "camera 2: the last row"),
        (lambda c: replace(c, K=changed(c.K, (2, 0, 0), 0.0)), "camera 2 has focal lengths"),
        (lambda c: replace(c, K=changed(c.K, (0, 0, 2), float("inf"))), "infinite"),
        (lambda c: replace(c, size=torch.zeros(3, 2, dtype=torch.long)), "camera 0 has size"),
    ],
)
def test_wrong_cameras_are_named(spoil: Callable[[Cameras], Cameras], named: str) -> None:
    with pytest.raises(GeometryError, match=named):
        spoil(make_cameras()).validate()


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda g: replace(g, means=changed(g.means, (3, 0), NAN)), "first at index 3"),
        (lambda g: replace(g, scales=changed(g.scales, (0, 0), 0.0)), "smallest scale"),
        (lambda g: replace(g, opacities=changed(g.opacities, (0,), 1.5)), "opacities"),
        (lambda g: replace(g, opacities=changed(g.opacities, (0,), -0.5)), "opacities"),
        (lambda g: replace(g, quats=2 * g.quats), "unit length"),
        (lambda g: replace(g, sh=g.sh[:, :3]), "3 coefficients"),
    ],
)
def test_wrong_gaussians_are_named(spoil: Callable[[Gaussians], Gaussians], named: str) -> None:
    with pytest.raises(GeometryError, match=named):
        spoil(make_gaussians()).validate()


@pytest.mark.parametrize(
    ("spoil", "error", "named"),
    [
        (lambda v: replace(v, images=changed(v.images, (0, 0, 0, 0), NAN)), GeometryError, "images"),
        (lambda v: replace(v, names=("a", "a", "b")), InputError, "2 distinct names"),
        (lambda v: v.with_cameras(make_cameras(2)), InputError, "3 images have 2 cameras"),
        (lambda v: v.with_cameras(make_cameras(3, width=9)), InputError, "other image sizes"),
    ],
)
def test_wrong_views_are_named(spoil: Callable[[ViewSet], ViewSet], error: type[Exception], named: str) -> None:
    make_views().validate()
    with pytest.raises(error, match=named):
        spoil(make_views()).validate()


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda m: replace(m, vertices=changed(m.vertices, (1, 1), NAN)), "vertices"),
        (lambda m: replace(m, normals=changed(m.normals, (1, 1), NAN)), "normals"),
        (lambda m: replace(m, faces=torch.tensor([[0, 1, 3]])), "outside 0..2"),
        (lambda m: replace(m, faces=torch.tensor([[0, 1, -1]])), "outside 0..2"),
    ],
)
def test_wrong_meshes_are_named(spoil: Callable[[Mesh], Mesh], named: str) -> None:
    make_mesh().validate()
    with pytest.raises(GeometryError, match=named):
        spoil(make_mesh()).validate()


def test_bounds_hold_the_photograph_on_its_canvas() -> None:
    views = make_views()
    views.masks[1] = False
    views.masks[1, 2:5, 3:4] = True
    views.masks[2] = False
    assert views.bounds().tolist() == [[0, 0, views.width, views.height], [3, 2, 4, 5], [0, 0, 0, 0]]


def test_points_that_are_not_valid_may_be_nan() -> None:
    points, valid = torch.zeros(1, 2, 2, 3), torch.ones(1, 2, 2, dtype=torch.bool)
    spoiled = changed(points, (0, 1, 1, 2), NAN)
    PointMap(spoiled, torch.ones(1, 2, 2), valid & ~spoiled.isnan().any(-1)).validate()
    with pytest.raises(GeometryError, match="points"):
        PointMap(spoiled, torch.ones(1, 2, 2), valid).validate()


def test_poses_must_belong_to_the_photographs() -> None:
    photographs = [Photograph(f"{i}.jpg", np.zeros((6, 8, 3), np.uint8), (8, 6)) for i in range(3)]
    estimate = PoseEstimate("sfm", (0, 2), make_cameras(2), torch.zeros(2, 4), torch.zeros(0, 3), PoseReport("by hand"))
    assert estimate.validate(photographs) is estimate
    with pytest.raises(InputError, match="1 photographs have 2 cameras"):
        replace(estimate, registered=(0,)).validate(photographs)
    with pytest.raises(InputError, match="other sizes"):
        replace(estimate, cameras=make_cameras(2, width=9)).validate(photographs)


def test_a_scene_without_cameras_is_not_finished() -> None:
    views = replace(make_views(), cameras=None)
    scene = Scene(views.validate(), make_gaussians(), Provenance("none", "", "given", {}, {}, seed=0))
    with pytest.raises(ValueError, match="has cameras"):
        _ = scene.cameras


def test_a_wrong_shape_says_found_and_expected() -> None:
    require_shape("x", torch.zeros(2, 5), (2, None))
    with pytest.raises(GeometryError, match="x has shape 2x5, expected 3xany"):
        require_shape("x", torch.zeros(2, 5), (3, None))
    with pytest.raises(GeometryError, match="x has shape scalar"):
        require_shape("x", torch.tensor(0.0), (1,))
