"""Real spherical harmonics for view-dependent colour, degree 0 to 3.

Order and signs are those of Sloan, "Efficient Spherical Harmonic Evaluation" (JCGT 2013), which 3D Gaussian splatting
files use: index l^2 + l + m.
"""

import torch
from jaxtyping import Float
from torch import Tensor

C0 = 0.28209479177387814  # 1 / (2 sqrt(pi))
BAND_1 = 0.4886025119029199
BAND_2 = (1.0925484305920792, 0.31539156525252005, 0.5462742152960396)
BAND_3 = (0.5900435899266435, 2.890611442640554, 0.4570457994644658, 0.3731763325901154, 1.445305721320277)


def num_coefficients(degree: int) -> int:
    """Coefficients of all bands up to `degree`."""
    return (degree + 1) ** 2


def harmonics(directions: Float[Tensor, "*batch 3"], degree: int) -> list[Tensor]:
    """Values of the basis functions at unit directions, each [*batch]; a list of (degree + 1)^2."""
    x, y, z = directions.unbind(-1)
    values = [torch.full_like(x, C0)]
    if degree >= 1:
        values += [-BAND_1 * y, BAND_1 * z, -BAND_1 * x]
    xx, yy, zz = x * x, y * y, z * z
    if degree >= 2:
        values += [BAND_2[0] * x * y, -BAND_2[0] * y * z, BAND_2[1] * (3 * zz - 1)]
        values += [-BAND_2[0] * x * z, BAND_2[2] * (xx - yy)]
    if degree >= 3:
        values += [
            BAND_3[0] * y * (yy - 3 * xx),
            BAND_3[1] * x * y * z,
            BAND_3[2] * y * (1 - 5 * zz),
            BAND_3[3] * z * (5 * zz - 3),
            BAND_3[2] * x * (1 - 5 * zz),
            BAND_3[4] * z * (xx - yy),
            BAND_3[0] * x * (3 * yy - xx),
        ]
    return values


def evaluate_harmonics(
    coefficients: Float[Tensor, "... coefficients channels"], directions: Float[Tensor, "... 3"], degree: int
) -> Float[Tensor, "... channels"]:
    """Sum of coefficients times basis functions, bands up to `degree`.

    Args:
        coefficients: Batch dimensions are broadcast against those of `directions`.
        directions: Need not be of unit length.
        degree: 0 to 3; higher bands of `coefficients` are left out.
    """
    if degree == 0:
        return C0 * coefficients[..., 0, :]
    unit = torch.nn.functional.normalize(directions, dim=-1)
    basis = torch.stack(harmonics(unit, degree), dim=-1)
    return (basis[..., None, :] @ coefficients[..., : basis.shape[-1], :])[..., 0, :]
