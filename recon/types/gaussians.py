"""3D Gaussians."""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from recon.errors import GeometryError
from recon.types.checks import require_finite, require_shape


@dataclass(frozen=True)
class Gaussians:
    """G anisotropic Gaussians with view-dependent colour (Kerbl et al. 2023).

    Attributes:
        means: Centres in the world.
        scales: Standard deviations along the principal axes, linear, > 0.
        quats: Unit quaternions (w, x, y, z), world from principal axes.
        opacities: Linear, 0..1.
        sh: Spherical-harmonic colour coefficients; colour = 0.5 + sum_k sh_k Y_k. K = 1, 4, 9 or 16.
    """

    means: Float[Tensor, "gaussians 3"]
    scales: Float[Tensor, "gaussians 3"]
    quats: Float[Tensor, "gaussians 4"]
    opacities: Float[Tensor, " gaussians"]
    sh: Float[Tensor, "gaussians coefficients 3"]

    def __len__(self) -> int:
        return len(self.means)

    def __getitem__(self, index: slice | Int[Tensor, " n"] | Bool[Tensor, " n"]) -> "Gaussians":
        return Gaussians(*(getattr(self, f.name)[index] for f in fields(self)))

    @property
    def sh_degree(self) -> int:
        """Degree of the spherical harmonics, 0..3."""
        return {1: 0, 4: 1, 9: 2, 16: 3}[self.sh.shape[1]]

    def to(self, device: torch.device | str) -> "Gaussians":
        """Move to a device."""
        return Gaussians(*(getattr(self, f.name).to(device) for f in fields(self)))

    def detach(self) -> "Gaussians":
        """Cut from the autograd graph."""
        return Gaussians(*(getattr(self, f.name).detach() for f in fields(self)))

    def validate(self) -> "Gaussians":
        """Return self, or raise GeometryError."""
        num = len(self)
        for name, shape in (("means", (num, 3)), ("scales", (num, 3)), ("quats", (num, 4)), ("opacities", (num,))):
            require_shape(name, getattr(self, name), shape)
        require_shape("sh", self.sh, (num, None, 3))
        if self.sh.shape[1] not in (1, 4, 9, 16):
            raise GeometryError(f"sh has {self.sh.shape[1]} coefficients, expected 1, 4, 9 or 16")
        for f in fields(self):
            require_finite(f.name, getattr(self, f.name))
        if num and float(self.scales.min()) <= 0:
            raise GeometryError(f"smallest scale is {float(self.scales.min()):g}, expected > 0")
        if num and not (float(self.opacities.min()) >= 0 and float(self.opacities.max()) <= 1):
            raise GeometryError("opacities leave the range 0..1", hint="logits belong only inside PLY files")
        if num and float((self.quats.norm(dim=1) - 1).abs().max()) > 1e-3:
            raise GeometryError("quats are not of unit length")
        return self
