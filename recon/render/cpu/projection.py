"""From Gaussians in the world to records."""

import math

import numpy as np

from recon.render.cpu.binning import count_tiles, piece_range
from recon.render.cpu.colors import write_color
from recon.render.cpu.ewa import (
    axes_in_camera,
    camera_point,
    camera_rotation,
    clamped_slopes,
    image_axes,
    quat_rotation,
    unit_quat,
)
from recon.render.cpu.exp2 import EXPONENT_SCALE, MIN_ALPHA
from recon.render.cpu.harmonics import scratch
from recon.render.cpu.jit import FAST_WITH_NAN, inlined, kernel
from recon.render.cpu.layout import FIRST_CHANNEL, TILE
from recon.render.cpu.vectors import dot, load

_MAX_REACH = 3.33  # standard deviations, in the radius that `radius_clip` is compared with


@inlined
def _pixel_range(center, extent, half, size):
    """First and last-plus-one pixel whose centre lies within `extent` of `center`, clipped to the image.

    Conversion to integer cuts off, which is floor for what is not negative; `math.floor` would be a call.
    """
    limit = half * np.float32(size + size)
    low = min(max(center - extent - half, half - half), limit)
    first = int(low)
    first += np.float32(first) < low
    last = int(min(max(center + extent + half, half - half), limit))
    return first, last


@inlined
def _covariance(quats, scales, n, rotation, cameras, c, p, one):
    """Covariance in the image, square pixels, without blur: xx, xy, yy."""
    quat, _ = unit_quat(quats, n)
    axes = axes_in_camera(rotation, quat_rotation(quat, one), load(scales, n))
    u, v, _, _ = clamped_slopes(cameras, c, p)
    row_x, row_y = image_axes(cameras, c, u, v, one / p[2], axes)
    return dot(row_x, row_x), dot(row_x, row_y), dot(row_y, row_y)


@inlined
def _write_splat(records, i, cameras, c, p, cxx, cxy, cyy, determinant, opacity):
    """Fill the columns before the colours; the sum of their magnitudes, and the reach in standard deviations."""
    real = records.dtype.type
    k, half = real(EXPONENT_SCALE), real(0.5)
    log_opacity = math.log(opacity)
    reach = math.sqrt(real(2) * (log_opacity + real(math.log(255.0))))
    inverse_z, scale = real(1) / p[2], k / determinant
    x = cameras[c, 12] * p[0] * inverse_z + cameras[c, 14]
    y = cameras[c, 13] * p[1] * inverse_z + cameras[c, 15]
    xx, xy, yy = -half * scale * cyy, scale * cxy, -half * scale * cxx
    half_width, half_height = reach * math.sqrt(cxx), reach * math.sqrt(cyy)
    records[i, 0], records[i, 1], records[i, 2], records[i, 3] = x, y, xx, xy
    records[i, 4], records[i, 5], records[i, 6], records[i, 7] = yy, k * log_opacity, half_width, half_height
    total = abs(x) + abs(y) + abs(xx) + abs(xy) + abs(yy) + half_width + half_height
    return total, reach


@inlined
def _count_rect(records, i, size, half, rects, tile_counts, piece, tiles_x):
    """Note and count the tiles of the pixels within reach; how many they are."""
    x0, x1 = _pixel_range(records[i, 0], records[i, 6], half, size[0])
    y0, y1 = _pixel_range(records[i, 1], records[i, 7], half, size[1])
    if x0 >= x1 or y0 >= y1:
        return 0
    x0, x1, y0, y1 = x0 // TILE, (x1 - 1) // TILE + 1, y0 // TILE, (y1 - 1) // TILE + 1
    rects[i, 0], rects[i, 1], rects[i, 2] = x0, y0, x1 - x0
    return count_tiles(x0, x1, y0, y1, tile_counts, piece, tiles_x)


@inlined
def _project_pair(
    i, n, c, rotation, means, quats, scales, opacity, colors, harmonics, basis, cameras, limits, antialiased,
    with_depth, records, depths,
):  # fmt: skip
    """Write record and depth of one pair; whether it can be seen, disregarding the image border."""
    real = means.dtype.type
    near, far, eps2d, radius_clip, min_compensation = limits
    point = load(means, n)
    p = camera_point(rotation, cameras, c, point)
    if not (p[2] >= near and p[2] <= far and opacity >= real(MIN_ALPHA)):
        return False
    cxx, cxy, cyy = _covariance(quats, scales, n, rotation, cameras, c, p, real(1))
    sharp = cxx * cyy - cxy * cxy
    cxx, cyy = cxx + eps2d, cyy + eps2d
    determinant = cxx * cyy - cxy * cxy
    if not determinant > 0:
        return False
    if antialiased:
        opacity *= math.sqrt(max(min_compensation, sharp / determinant))
        if not opacity >= real(MIN_ALPHA):
            return False
    total, reach = _write_splat(records, i, cameras, c, p, cxx, cxy, cyy, determinant, opacity)
    total += write_color(records, i, colors, n, harmonics, cameras, c, point, basis)
    if with_depth:
        records[i, FIRST_CHANNEL + colors.shape[3]] = p[2]
    depths[i] = p[2]
    radius = min(real(_MAX_REACH), reach) * math.sqrt(max(cxx, cyy))
    return total < math.inf and radius > radius_clip


@kernel(fastmath=FAST_WITH_NAN)
def project(
    lo, hi, parts, means, quats, scales, opacities, colors, harmonics, cameras, size, limits, antialiased, with_depth,
    records, depths, rects, counts, tile_counts,
):  # fmt: skip
    """Write the records of all Gaussians for pieces lo..hi of the cameras, and note which tiles they touch.

    A pair of camera and Gaussian that cannot change any pixel, or that holds a non-finite number, gets the count 0.
    Pairs are numbered camera by camera.

    Args:
        lo: First piece; see `binning.piece_range`.
        hi: Last piece plus one.
        parts: Pieces of one camera.
        means: [N, 3].
        quats: [N, 4] as (w, x, y, z), of any length.
        scales: [N, 3].
        opacities: [N].
        colors: [sets, N, K, D], see `colors`.
        harmonics: See `colors`.
        cameras: [C, 23], see `ewa`.
        size: (width, height).
        limits: (near, far, eps2d, radius_clip, min_compensation); a whole radius_clip.
        antialiased: Whether opacities are compensated for the blur.
        with_depth: Whether z is appended to the colours.
        records: Output [C N, W], see `layout`.
        depths: Output [C N], float32.
        rects: Output [C N, 3], first column and row, and columns, of each pair's tiles.
        counts: Output [C N], tiles of the rectangle.
        tile_counts: Output [C parts, tiles], pairs of each piece that touch each tile.
    """
    num, basis, half = len(means), scratch(means), means.dtype.type(0.5)
    tiles_x = (size[0] + TILE - 1) // TILE
    for piece in range(lo, hi):
        tile_counts[piece, :] = 0
        c, first, last = piece_range(piece, parts, num)
        rotation = camera_rotation(cameras, c)
        for n in range(first, last):
            i = c * num + n
            counts[i] = 0
            if _project_pair(
                i, n, c, rotation, means, quats, scales, opacities[n], colors, harmonics, basis, cameras, limits,
                antialiased, with_depth, records, depths,
            ):  # fmt: skip
                counts[i] = _count_rect(records, i, size, half, rects, tile_counts, piece, tiles_x)
