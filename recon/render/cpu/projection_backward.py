"""Gradient of `projection.project`."""

import numpy as np

from recon.render.cpu.colors import add_color_gradient, clear_color_gradient
from recon.render.cpu.ewa import (
    axes_in_camera,
    camera_point,
    camera_rotation,
    clamped_slopes,
    image_axes,
    quat_rotation,
    unit_quat,
)
from recon.render.cpu.harmonics import scratch
from recon.render.cpu.jit import inlined, kernel
from recon.render.cpu.layout import NUM_MOMENTS
from recon.render.cpu.vectors import combine, dot, load, plus, row_times_matrix, scaled, times


@inlined
def _sum_slots(slots, first, last, sums):
    """Add up the tiles of one pair, always in the same order."""
    sums[:] = 0
    for s in range(first, last):
        for k in range(len(sums)):
            sums[k] += slots[s, k]


@inlined
def _covariance_gradient(sums, cxx, cxy, cyy, determinant):
    """Gradients of the projected mean (x, y) and of the covariance (xx, xy counted once per entry, yy)."""
    half = sums.dtype.type(0.5)
    a, b, c = cyy / determinant, -cxy / determinant, cxx / determinant
    g_x, g_y = a * sums[1] + b * sums[2], b * sums[1] + c * sums[2]
    # dL/dconic = -(moments)/2 as a symmetric matrix; dL/dcov = -X dL/dconic X
    m_xx, m_xy, m_yy = half * sums[3], half * sums[4], half * sums[5]
    t_xx, t_xy = a * m_xx + b * m_xy, a * m_xy + b * m_yy
    t_yx, t_yy = b * m_xx + c * m_xy, b * m_xy + c * m_yy
    return g_x, g_y, t_xx * a + t_xy * b, t_xx * b + t_xy * c, t_yx * b + t_yy * c


@inlined
def _quat_gradient(quat, inverse_norm, g, two):
    """Gradient of the quaternion before normalisation, from that of the rotation's rows."""
    w, x, y, z = quat
    g_w = two * (x * (g[2][1] - g[1][2]) + y * (g[0][2] - g[2][0]) + z * (g[1][0] - g[0][1]))
    g_x = two * (
        w * (g[2][1] - g[1][2]) + y * (g[0][1] + g[1][0]) + z * (g[0][2] + g[2][0]) - two * x * (g[1][1] + g[2][2])
    )
    g_y = two * (
        w * (g[0][2] - g[2][0]) + x * (g[0][1] + g[1][0]) + z * (g[1][2] + g[2][1]) - two * y * (g[0][0] + g[2][2])
    )
    g_z = two * (
        w * (g[1][0] - g[0][1]) + x * (g[0][2] + g[2][0]) + y * (g[1][2] + g[2][1]) - two * z * (g[0][0] + g[1][1])
    )
    along = w * g_w + x * g_x + y * g_y + z * g_z
    return (
        (g_w - w * along) * inverse_norm,
        (g_x - x * along) * inverse_norm,
        (g_y - y * along) * inverse_norm,
        (g_z - z * along) * inverse_norm,
    )


@inlined
def _pair_gradient(sums, cameras, c, p, axes, opacity, limits, antialiased, g_depth):
    """Gradients of opacity, of the point in the camera, and of the axes in the camera (three rows)."""
    one, two, zero = sums.dtype.type(1), sums.dtype.type(2), sums.dtype.type(0)
    inverse_z = one / p[2]
    fx, fy = cameras[c, 12] * inverse_z, cameras[c, 13] * inverse_z
    u, v, u_free, v_free = clamped_slopes(cameras, c, p)
    row_x, row_y = image_axes(cameras, c, u, v, inverse_z, axes)
    sxx, cxy, syy = dot(row_x, row_x), dot(row_x, row_y), dot(row_y, row_y)
    cxx, cyy = sxx + limits[2], syy + limits[2]
    determinant = cxx * cyy - cxy * cxy
    g_x, g_y, g_xx, g_xy, g_yy = _covariance_gradient(sums, cxx, cxy, cyy, determinant)
    g_opacity = sums[0] / opacity
    if antialiased:
        ratio = (sxx * syy - cxy * cxy) / determinant
        if ratio > limits[4]:
            # dL/dratio = dL/dln(o') / (2 ratio), and dratio/dcov from the two adjugate matrices
            g_ratio = sums[0] / (two * ratio) / determinant
            g_xx += g_ratio * (syy - ratio * cyy)
            g_yy += g_ratio * (sxx - ratio * cxx)
            g_xy -= g_ratio * (cxy - ratio * cxy)
    g_row_x = combine(two * g_xx, row_x, two * g_xy, row_y)
    g_row_y = combine(two * g_xy, row_x, two * g_yy, row_y)
    g_axes = (scaled(fx, g_row_x), scaled(fy, g_row_y), combine(-fx * u, g_row_x, -fy * v, g_row_y))
    # J = [[fx/z, 0, -fx u/z], [0, fy/z, -fy v/z]]; u = x/z unless it was clamped
    j_xx, j_xz, j_yy, j_yz = (
        dot(g_row_x, axes[0]), dot(g_row_x, axes[2]), dot(g_row_y, axes[1]), dot(g_row_y, axes[2]),
    )  # fmt: skip
    g_u, g_v = -fx * j_xz if u_free else zero, -fy * j_yz if v_free else zero
    to_x, to_y = fx * g_x + g_u * inverse_z, fy * g_y + g_v * inverse_z
    stretch = fx * (j_xx - u * j_xz) + fy * (j_yy - v * j_yz)
    to_z = g_depth - (to_x * p[0] + to_y * p[1] + stretch) * inverse_z
    return g_opacity, (to_x, to_y, to_z), g_axes


@inlined
def _add_camera_gradient(out, c, g_point, point, g_axes, world_axes, g_direction):
    """Gradient of rotation (rows), translation and centre, added to row c of 15 numbers."""
    for i in range(3):
        turned = scaled(g_point[i], point)
        for j in range(3):
            out[c, 3 * i + j] += turned[j] + dot(g_axes[i], world_axes[j])
        out[c, 9 + i] += g_point[i]
        out[c, 12 + i] -= g_direction[i]


@inlined
def _column_times(rotation, j, rows):
    """Row j of R^T M."""
    return plus(combine(rotation[0][j], rows[0], rotation[1][j], rows[1]), scaled(rotation[2][j], rows[2]))


@inlined
def _store(
    n, g_mean, g_opacity, g_axes, quat, inverse_norm, quat_rows, size, two, g_means, g_quats, g_scales, g_opacities
):
    """Write the gradients of Gaussian n; `g_axes` is that of R_quat S, by rows."""
    g_size = plus(plus(times(g_axes[0], quat_rows[0]), times(g_axes[1], quat_rows[1])), times(g_axes[2], quat_rows[2]))
    g_rows = (times(g_axes[0], size), times(g_axes[1], size), times(g_axes[2], size))
    g_quat = _quat_gradient(quat, inverse_norm, g_rows, two)
    for j in range(3):
        g_means[n, j], g_scales[n, j] = g_mean[j], g_size[j]
    for j in range(4):
        g_quats[n, j] = g_quat[j]
    g_opacities[n] = g_opacity


@kernel()
def project_gradient(
    lo, hi, means, quats, scales, opacities, colors, harmonics, cameras, limits, antialiased, with_depth, want_cameras,
    counts, offsets, slots, g_means, g_quats, g_scales, g_opacities, g_colors, g_cameras,
):  # fmt: skip
    """Gradients of Gaussians lo..hi, summed over the cameras.

    Inputs are those of `projection.project`; `want_cameras` says whether the gradient of the cameras is needed; counts,
    offsets [C N + 1] and slots [M, 6 + D (+ 1 with depth)] are those of `binning` and `backward.blend_gradient`.
    Outputs have the shapes of the inputs. g_cameras [C, 15] must be zero before; it is the sum over this piece alone:
    rotation by rows, translation, centre.
    """
    num, num_colors = len(means), colors.shape[3]
    real = means.dtype.type
    one, zero = real(1), real(0)
    sums, basis, weights = np.empty(slots.shape[1], slots.dtype), scratch(means), scratch(means)
    for n in range(lo, hi):
        clear_color_gradient(g_colors, n)
        quat, inverse_norm = unit_quat(quats, n)
        quat_rows = quat_rotation(quat, one)
        point, size = load(means, n), load(scales, n)
        g_mean, g_opacity = (zero, zero, zero), zero
        g_turned = (g_mean, g_mean, g_mean)
        seen = False
        for c in range(len(cameras)):
            i = c * num + n
            if counts[i] == 0:
                continue
            seen = True
            _sum_slots(slots, offsets[i], offsets[i + 1], sums)
            g_direction = add_color_gradient(
                sums, NUM_MOMENTS, g_colors, colors, n, harmonics, cameras, c, point, basis, weights
            )
            g_depth = sums[NUM_MOMENTS + num_colors] if with_depth else zero
            rotation = camera_rotation(cameras, c)
            p = camera_point(rotation, cameras, c, point)
            axes = axes_in_camera(rotation, quat_rows, size)
            to_opacity, to_p, to_axes = _pair_gradient(
                sums, cameras, c, p, axes, opacities[n], limits, antialiased, g_depth
            )
            g_opacity += to_opacity
            g_mean = plus(plus(g_mean, row_times_matrix(to_p, rotation)), g_direction)
            g_turned = (
                plus(g_turned[0], _column_times(rotation, 0, to_axes)),
                plus(g_turned[1], _column_times(rotation, 1, to_axes)),
                plus(g_turned[2], _column_times(rotation, 2, to_axes)),
            )
            if want_cameras:
                world_axes = (times(quat_rows[0], size), times(quat_rows[1], size), times(quat_rows[2], size))
                _add_camera_gradient(g_cameras, c, to_p, point, to_axes, world_axes, g_direction)
        if not seen:
            quat, inverse_norm = (one, zero, zero, zero), zero
            quat_rows = quat_rotation(quat, one)
            size = (zero, zero, zero)
        _store(
            n, g_mean, g_opacity, g_turned, quat, inverse_norm, quat_rows, size, one + one,
            g_means, g_quats, g_scales, g_opacities,
        )  # fmt: skip
