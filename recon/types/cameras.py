"""Pinhole cameras."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from recon.errors import GeometryError
from recon.types.checks import require_finite, require_shape


@dataclass(frozen=True)
class Cameras:
    """N pinhole cameras.

    Attributes:
        cam_from_world: Rigid world-to-camera matrices, OpenCV axes (x right, y down, z forward).
        K: Intrinsics in pixels; the centre of the first pixel is (0.5, 0.5); zero skew.
        size: Image width and height in pixels.
    """

    cam_from_world: Float[Tensor, "views 4 4"]
    K: Float[Tensor, "views 3 3"]
    size: Int[Tensor, "views 2"]

    def __len__(self) -> int:
        return len(self.cam_from_world)

    def __getitem__(self, index: slice | list[int] | Tensor) -> "Cameras":
        return Cameras(self.cam_from_world[index], self.K[index], self.size[index])

    def to(self, device: torch.device | str) -> "Cameras":
        """Move to a device."""
        return Cameras(self.cam_from_world.to(device), self.K.to(device), self.size.to(device))

    @property
    def world_from_cam(self) -> Float[Tensor, "views 4 4"]:
        """Camera-to-world matrices, by the closed form of a rigid inverse."""
        rotation = self.cam_from_world[:, :3, :3].mT
        inverse = torch.zeros_like(self.cam_from_world)
        inverse[:, :3, :3] = rotation
        inverse[:, :3, 3:] = -rotation @ self.cam_from_world[:, :3, 3:]
        inverse[:, 3, 3] = 1
        return inverse

    @property
    def centers(self) -> Float[Tensor, "views 3"]:
        """Camera centres in the world."""
        return self.world_from_cam[:, :3, 3]

    def validate(self) -> "Cameras":
        """Return self, or raise GeometryError naming the first camera that is wrong."""
        num = len(self)
        require_shape("cam_from_world", self.cam_from_world, (num, 4, 4))
        require_shape("K", self.K, (num, 3, 3))
        require_shape("size", self.size, (num, 2))
        require_finite("cam_from_world", self.cam_from_world)
        require_finite("K", self.K)
        for i in range(num):
            _require_rigid(i, self.cam_from_world[i].double())
            fx, fy = float(self.K[i, 0, 0]), float(self.K[i, 1, 1])
            if min(fx, fy) <= 0:
                raise GeometryError(f"camera {i} has focal lengths ({fx:g}, {fy:g}) px, expected positive")
            if int(self.size[i].min()) <= 0:
                raise GeometryError(f"camera {i} has size {self.size[i].tolist()}, expected positive")
        return self


def _require_rigid(index: int, matrix: Tensor) -> None:
    rotation = matrix[:3, :3]
    error = float((rotation @ rotation.T - torch.eye(3, dtype=matrix.dtype)).abs().max())
    if error > 1e-3:
        raise GeometryError(
            f"camera {index}: the 3x3 part is not a rotation (R R^T differs from identity by {error:.2g})",
            hint="scale or shear in a pose must be removed first",
        )
    if torch.linalg.det(rotation) < 0:
        raise GeometryError(
            f"camera {index}: the 3x3 part is a reflection (determinant -1)",
            hint="the file probably uses left-handed axes",
        )
    if not torch.allclose(matrix[3], torch.tensor([0, 0, 0, 1], dtype=matrix.dtype), atol=1e-6):
        raise GeometryError(f"camera {index}: the last row is {matrix[3].tolist()}, expected [0, 0, 0, 1]")
