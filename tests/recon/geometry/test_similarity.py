import pytest
import torch

from recon.errors import GeometryError
from recon.geometry.projection import project
from recon.geometry.se3 import rigid, rotation_from_quat
from recon.geometry.similarity import (
    Similarity,
    transform_cameras,
    transform_gaussians,
    transform_mesh,
    transform_scene,
)
from recon.render import RasterConfig, render
from recon.types import Cameras, Gaussians, Mesh, PointMap, Provenance, Scene, ViewSet

WIDTH, HEIGHT = 48, 32


def random_similarity(generator: torch.Generator, scale: float = 2.5) -> Similarity:
    rotation = rotation_from_quat(torch.randn(4, generator=generator, dtype=torch.float64))
    return Similarity(rotation, torch.randn(3, generator=generator, dtype=torch.float64), scale)


def random_scene(generator: torch.Generator, num: int = 60) -> Scene:
    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    gaussians = Gaussians(
        means=normal(num, 3) * 0.6 + torch.tensor([0, 0, 4.0]),
        scales=(normal(num, 3) * 0.4 - 2).exp(),
        quats=torch.nn.functional.normalize(normal(num, 4), dim=-1),
        opacities=normal(num).sigmoid(),
        sh=normal(num, 16, 3) * 0.3,
    ).validate()
    turn = rotation_from_quat(torch.cat([torch.ones(2, 1), 0.1 * normal(2, 3)], dim=1).double())
    K = torch.tensor([[50.0, 0, 25], [0, 48, 15], [0, 0, 1]], dtype=torch.float64).repeat(2, 1, 1)
    cameras = Cameras(rigid(turn, 0.2 * normal(2, 3)), K, torch.tensor([[WIDTH, HEIGHT]] * 2))
    views = ViewSet(
        images=torch.zeros(2, 3, HEIGHT, WIDTH),
        names=("a", "b"),
        original_size=torch.tensor([[WIDTH, HEIGHT]] * 2),
        crop_from_original=torch.eye(3).repeat(2, 1, 1),
        masks=torch.ones(2, HEIGHT, WIDTH, dtype=torch.bool),
        cameras=cameras,
    )
    points = PointMap(normal(2, 4, 5, 3), torch.ones(2, 4, 5), torch.ones(2, 4, 5, dtype=torch.bool))
    mesh = Mesh(normal(3, 3), torch.tensor([[0, 1, 2]]), torch.nn.functional.normalize(normal(3, 3), dim=-1))
    provenance = Provenance("none", "0" * 64, "given", {}, {}, 0)
    return Scene(views, gaussians, provenance, points, mesh, up=(0.0, -1.0, 0.0))


@pytest.mark.parametrize("scale", [1.0, 0.2, 7.0])
def test_a_turned_and_scaled_scene_looks_the_same_from_its_cameras(scale, generator):
    scene = random_scene(generator)
    moved = transform_scene(scene, random_similarity(generator, scale))
    before = render(scene.gaussians, scene.cameras, depth=True)
    after = render(moved.gaussians, moved.cameras, depth=True, config=RasterConfig(near_plane=0.01 * scale))
    torch.testing.assert_close(after.color, before.color, atol=1e-5, rtol=0)
    torch.testing.assert_close(after.alpha, before.alpha, atol=1e-5, rtol=0)
    assert before.depth is not None
    assert after.depth is not None
    torch.testing.assert_close(after.depth, before.depth * scale, atol=1e-5, rtol=1e-5)


def test_single_precision_is_enough(generator):
    scene = random_scene(generator)
    gaussians = Gaussians(
        *(getattr(scene.gaussians, n).float() for n in ("means", "scales", "quats", "opacities", "sh"))
    )
    cameras = Cameras(scene.cameras.cam_from_world.float(), scene.cameras.K.float(), scene.cameras.size)
    move = random_similarity(generator, 1.0)
    before = render(gaussians, cameras).color
    after = render(transform_gaussians(gaussians, move), transform_cameras(cameras, move)).color
    torch.testing.assert_close(after, before, atol=1e-4, rtol=0)


def test_everything_in_the_scene_moves_alike(generator):
    scene, move = random_scene(generator), random_similarity(generator)
    moved = transform_scene(scene, move)
    assert scene.points is not None
    assert scene.mesh is not None
    assert moved.points is not None
    assert moved.mesh is not None
    for before, after in (
        (scene.mesh.vertices, moved.mesh.vertices),
        (scene.points.points[0, 0], moved.points.points[0, 0]),
    ):
        pixels, depth = project(before.double().expand(2, -1, 3), scene.cameras.cam_from_world, scene.cameras.K)
        again, again_depth = project(after.double().expand(2, -1, 3), moved.cameras.cam_from_world, moved.cameras.K)
        torch.testing.assert_close(again, pixels, atol=1e-6, rtol=1e-6)
        torch.testing.assert_close(again_depth, depth * move.scale, atol=1e-6, rtol=1e-6)
    assert moved.up == pytest.approx((-move.rotation[:, 1]).tolist())
    assert moved.mesh.normals is not None
    torch.testing.assert_close(moved.mesh.normals.norm(dim=-1), torch.ones(3, dtype=torch.float64))
    moved.cameras.validate()


def test_the_inverse_undoes_it(generator):
    move = random_similarity(generator)
    torch.testing.assert_close(move.inverse().matrix @ move.matrix, torch.eye(4, dtype=torch.float64))
    points = torch.randn(7, 3, generator=generator, dtype=torch.float64)
    homogeneous = torch.cat([points, torch.ones(7, 1)], dim=1) @ move.matrix.T
    torch.testing.assert_close(move.points(points), homogeneous[:, :3])


def test_a_mesh_without_normals(generator):
    mesh = Mesh(torch.zeros(3, 3), torch.tensor([[0, 1, 2]]))
    assert transform_mesh(mesh, random_similarity(generator)).normals is None


@pytest.mark.parametrize(
    "broken",
    [
        Similarity(torch.diag(torch.tensor([1.0, 1, -1], dtype=torch.float64)), torch.zeros(3, dtype=torch.float64)),
        Similarity(2 * torch.eye(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)),
        Similarity(torch.eye(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64), 0.0),
        Similarity(torch.eye(3, dtype=torch.float64), torch.full((3,), float("nan"), dtype=torch.float64)),
    ],
)
def test_what_is_no_similarity_is_refused(broken, generator):
    with pytest.raises(GeometryError):
        transform_scene(random_scene(generator), broken)
