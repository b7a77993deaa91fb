"""Spherical harmonics inside kernels; basis and signs are those of `recon.geometry.spherical_harmonics`."""

import numpy as np

from recon.geometry.spherical_harmonics import BAND_1, BAND_2, BAND_3, C0
from recon.render.cpu.jit import allocating, inlined

A1 = BAND_1
B0, B1, B2 = BAND_2
D0, D1, D2, D3, D4 = BAND_3
MAX_COEFFICIENTS = 16


@inlined
def write_basis(basis, x, y, z, count):
    """Values of `count` (1, 4, 9 or 16) basis functions at a unit direction; `scratch` wrote the first."""
    real = basis.dtype.type
    if count >= 4:
        basis[1], basis[2], basis[3] = -real(A1) * y, real(A1) * z, -real(A1) * x
    if count >= 9:
        xx, yy, zz = x * x, y * y, z * z
        basis[4], basis[5] = real(B0) * x * y, -real(B0) * y * z
        basis[6] = real(B1) * (real(3) * zz - real(1))
        basis[7], basis[8] = -real(B0) * x * z, real(B2) * (xx - yy)
        if count >= 16:
            basis[9], basis[10] = real(D0) * y * (yy - real(3) * xx), real(D1) * x * y * z
            basis[11], basis[13] = real(D2) * y * (real(1) - real(5) * zz), real(D2) * x * (real(1) - real(5) * zz)
            basis[12], basis[14] = real(D3) * z * (real(5) * zz - real(3)), real(D4) * z * (xx - yy)
            basis[15] = real(D0) * x * (real(3) * yy - xx)


@inlined
def direction_gradient(w, x, y, z, count):
    """Gradient of sum_j w_j basis_j with respect to (x, y, z), taken as free numbers."""
    real = w.dtype.type
    two, three, five, six = real(2), real(3), real(5), real(6)
    g_x, g_y, g_z = -real(A1) * w[3], -real(A1) * w[1], real(A1) * w[2]
    if count >= 9:
        g_x += real(B0) * (y * w[4] - z * w[7]) + two * real(B2) * x * w[8]
        g_y += real(B0) * (x * w[4] - z * w[5]) - two * real(B2) * y * w[8]
        g_z += six * real(B1) * z * w[6] - real(B0) * (y * w[5] + x * w[7])
    if count >= 16:
        xx, yy, zz, xy = x * x, y * y, z * z, x * y
        saddle = real(1) - five * zz
        g_x += real(D1) * y * z * w[10] - six * real(D0) * xy * w[9] + real(D2) * saddle * w[13]
        g_x += two * real(D4) * x * z * w[14] + three * real(D0) * (yy - xx) * w[15]
        g_y += three * real(D0) * (yy - xx) * w[9] + real(D1) * x * z * w[10] + real(D2) * saddle * w[11]
        g_y += six * real(D0) * xy * w[15] - two * real(D4) * y * z * w[14]
        g_z += real(D1) * xy * w[10] - real(10) * real(D2) * z * (y * w[11] + x * w[13])
        g_z += three * real(D3) * (five * zz - real(1)) * w[12] + real(D4) * (xx - yy) * w[14]
    return g_x, g_y, g_z


@allocating
def scratch(like):
    """Room for the values of all basis functions."""
    values = np.zeros(MAX_COEFFICIENTS, like.dtype)
    values[0] = C0
    return values
