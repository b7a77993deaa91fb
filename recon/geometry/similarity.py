"""Similarities of the world: one rotation, scale and translation applied to everything that a scene holds."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import GeometryError
from recon.geometry.se3 import multiply_quats, quat_from_rotation
from recon.geometry.sh_rotation import rotate_harmonics
from recon.types import Cameras, Gaussians, Mesh, Scene
from recon.types.checks import require_finite, require_shape


@dataclass(frozen=True)
class Similarity:
    """x_a = scale * rotation @ x_b + translation.

    Attributes:
        rotation: A proper rotation, float64.
        translation: In units of a, float64.
        scale: > 0; lengths in a over lengths in b.
    """

    rotation: Float[Tensor, "3 3"]
    translation: Float[Tensor, "3"]
    scale: float = 1.0

    @classmethod
    def from_rotation(cls, rotation: Float[Tensor, "3 3"]) -> "Similarity":
        """A turn about the origin."""
        return cls(rotation.double().cpu(), torch.zeros(3, dtype=torch.float64))

    @property
    def matrix(self) -> Float[Tensor, "4 4"]:
        """The 4x4 form; its 3x3 part is scale times rotation."""
        matrix = torch.eye(4, dtype=torch.float64)
        matrix[:3, :3] = self.scale * self.rotation
        matrix[:3, 3] = self.translation
        return matrix

    def inverse(self) -> "Similarity":
        """x_b from x_a."""
        rotation = self.rotation.T
        return Similarity(rotation, -(rotation @ self.translation) / self.scale, 1 / self.scale)

    def points(self, points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        """Points of b in a, computed in float64."""
        moved = self.scale * points.double() @ self.rotation.T.to(points.device) + self.translation.to(points.device)
        return moved.to(points)

    def directions(self, directions: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        """Unit directions of b in a."""
        return (directions.double() @ self.rotation.T.to(directions.device)).to(directions)

    def validate(self) -> "Similarity":
        """Return self, or raise GeometryError."""
        require_shape("rotation", self.rotation, (3, 3))
        require_shape("translation", self.translation, (3,))
        require_finite("rotation", self.rotation)
        require_finite("translation", self.translation)
        error = float((self.rotation @ self.rotation.T - torch.eye(3, dtype=torch.float64)).abs().max())
        if error > 1e-6 or float(torch.linalg.det(self.rotation)) < 0:
            raise GeometryError(f"the 3x3 part is not a proper rotation (R R^T differs from identity by {error:.2g})")
        if not 0 < self.scale < float("inf"):
            raise GeometryError(f"the scale of a similarity is {self.scale}, expected positive and finite")
        return self


def transform_cameras(cameras: Cameras, a_from_b: Similarity) -> Cameras:
    """The same cameras in frame a; their matrices stay rigid, for camera coordinates are scaled with the world."""
    cam_from_b = cameras.cam_from_world.double()
    rotation = cam_from_b[:, :3, :3] @ a_from_b.rotation.T.to(cam_from_b.device)
    moved = cam_from_b.clone()
    moved[:, :3, :3] = rotation
    moved[:, :3, 3] = a_from_b.scale * cam_from_b[:, :3, 3] - rotation @ a_from_b.translation.to(cam_from_b.device)
    return replace(cameras, cam_from_world=moved.to(cameras.cam_from_world))


def transform_gaussians(gaussians: Gaussians, a_from_b: Similarity) -> Gaussians:
    """The same Gaussians in frame a, the directions of their colours turned with them."""
    turn = quat_from_rotation(a_from_b.rotation).to(gaussians.quats)
    return replace(
        gaussians,
        means=a_from_b.points(gaussians.means),
        scales=gaussians.scales * a_from_b.scale,
        quats=torch.nn.functional.normalize(multiply_quats(turn.expand_as(gaussians.quats), gaussians.quats), dim=-1),
        sh=rotate_harmonics(gaussians.sh, a_from_b.rotation),
    )


def transform_mesh(mesh: Mesh, a_from_b: Similarity) -> Mesh:
    """The same surface in frame a."""
    normals = None if mesh.normals is None else a_from_b.directions(mesh.normals)
    return replace(mesh, vertices=a_from_b.points(mesh.vertices), normals=normals)


def transform_scene(scene: Scene, a_from_b: Similarity) -> Scene:
    """The whole scene in frame a: cameras, Gaussians, points, mesh and up direction.

    Raises:
        GeometryError: `a_from_b` is no similarity.
    """
    a_from_b.validate()
    points, up = scene.points, scene.up
    if up is not None:
        x, y, z = a_from_b.directions(torch.tensor(up, dtype=torch.float64)).tolist()
        up = (x, y, z)
    return replace(
        scene,
        views=scene.views.with_cameras(transform_cameras(scene.cameras, a_from_b)),
        gaussians=transform_gaussians(scene.gaussians, a_from_b),
        points=None if points is None else replace(points, points=a_from_b.points(points.points)),
        mesh=None if scene.mesh is None else transform_mesh(scene.mesh, a_from_b),
        up=up,
    )
