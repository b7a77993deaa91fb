"""The colour of a Gaussian for one camera, and its gradient; the counterpart of `recon.render.colors` in kernels.

Colours are [sets, N, K, D]. `harmonics` is a tuple, so that its length is known when compiling: empty for given
colours (K = 1, one set for all cameras or one per camera), else as long as the spherical-harmonic coefficients that are
used of each channel (1, 4, 9 or 16; one set).
"""

import math

from recon.render.cpu.harmonics import direction_gradient, write_basis
from recon.render.cpu.jit import inlined
from recon.render.cpu.layout import FIRST_CHANNEL
from recon.render.cpu.vectors import combine, dot, scaled


@inlined
def view_direction(cameras, c, point):
    """Unit vector from the camera centre to a point, and one over the distance."""
    x, y, z = point[0] - cameras[c, 20], point[1] - cameras[c, 21], point[2] - cameras[c, 22]
    inverse = cameras.dtype.type(1) / math.sqrt(x * x + y * y + z * z)
    return (x * inverse, y * inverse, z * inverse), inverse


@inlined
def write_color(records, i, colors, n, harmonics, cameras, c, point, basis):
    """Fill the colour columns of a record; the sum of their magnitudes."""
    real = records.dtype.type
    total, half = real(0), real(0.5)
    if len(harmonics) == 0:
        chosen = min(c, colors.shape[0] - 1)
        for k in range(colors.shape[3]):
            records[i, FIRST_CHANNEL + k] = colors[chosen, n, 0, k]
            total += abs(colors[chosen, n, 0, k])
        return total
    if len(harmonics) > 1:
        unit, _ = view_direction(cameras, c, point)
        write_basis(basis, unit[0], unit[1], unit[2], len(harmonics))
    for k in range(colors.shape[3]):
        value = half
        for j in range(len(harmonics)):
            value += basis[j] * colors[0, n, j, k]
        total += abs(value)
        records[i, FIRST_CHANNEL + k] = max(value, real(0))
    return total


@inlined
def clear_color_gradient(g_colors, n):
    """Zero the gradient of one Gaussian's colours."""
    for chosen in range(g_colors.shape[0]):
        for j in range(g_colors.shape[2]):
            for k in range(g_colors.shape[3]):
                g_colors[chosen, n, j, k] = 0


@inlined
def add_color_gradient(sums, first, g_colors, colors, n, harmonics, cameras, c, point, basis, weights):
    """Add to the gradient of the colours or coefficients; the gradient of the direction's end, a world point.

    `sums[first : first + D]` is the gradient of the colour.
    """
    real = sums.dtype.type
    half, zero = real(0.5), real(0)
    none = (zero, zero, zero)
    if len(harmonics) == 0:
        chosen = min(c, colors.shape[0] - 1)
        for k in range(colors.shape[3]):
            g_colors[chosen, n, 0, k] += sums[first + k]
        return none
    unit, inverse = none, zero
    if len(harmonics) > 1:
        unit, inverse = view_direction(cameras, c, point)
        write_basis(basis, unit[0], unit[1], unit[2], len(harmonics))
        weights[:] = 0
    for k in range(colors.shape[3]):
        value = half
        for j in range(len(harmonics)):
            value += basis[j] * colors[0, n, j, k]
        g = sums[first + k] if value > zero else zero
        for j in range(len(harmonics)):
            g_colors[0, n, j, k] += basis[j] * g
            weights[j] += colors[0, n, j, k] * g
    if len(harmonics) <= 1:
        return none
    free = direction_gradient(weights, unit[0], unit[1], unit[2], len(harmonics))
    return scaled(inverse, combine(real(1), free, -dot(free, unit), unit))
