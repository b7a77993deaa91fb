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
from recon.render.cpu.exp2 import EXPONENT_SCALE
from recon.render.cpu.harmonics import scratch
from recon.render.cpu.jit import FAST_WITH_NAN, inlined, kernel
from recon.render.cpu.layout import FIRST_CHANNEL, TILE
from recon.render.cpu.vectors import dot, load


@inlined
def _pixel_range(center, extent, half, size):
    """First and last-plus-one pixel whose centre lies within `extent` of `center`, clipped to the image."""
    limit = half * np.float32(size + size)
    first = math.ceil(min(max(center - extent - half, half - half), limit))
    last = math.floor(max(min(center + extent - half, limit), -half)) + 1
    return int(first), min(int(last), size)


@inlined
def _write_splat(records, i, x, y, cxx, cxy, cyy, determinant, opacity):
    """Fill the columns before the colours; the sum of their magnitudes, and the reach in standard deviations."""
    real = records.dtype.type
    k, half = real(EXPONENT_SCALE), real(0.5)
    log_opacity = math.log(opacity)
    reach = math.sqrt(real(2) * (log_opacity + real(math.log(255.0))))
    records[i, 0], records[i, 1] = x, y
    records[i, 2] = -half * k * cyy / determinant
    records[i, 3] = k * cxy / determinant
    records[i, 4] = -half * k * cxx / determinant
    records[i, 5] = k * log_opacity
    records[i, 6] = reach * math.sqrt(cxx)
    records[i, 7] = reach * math.sqrt(cyy)
    total = abs(records[i, 0])
    for j in range(1, 8):
        total += abs(records[i, j])
    return total, reach


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
        limits: (near, far, eps2d, radius_clip, min_compensation).
        antialiased: Whether opacities are compensated for the blur.
        with_depth: Whether z is appended to the colours.
        records: Output [C N, W], see `layout`.
        depths: Output [C N], float32.
        rects: Output [C N, 4], tiles: first x, last x + 1, first y, last y + 1.
        counts: Output [C N], tiles of the rectangle.
        tile_counts: Output [C parts, tiles], pairs of each piece that touch each tile.
    """
    num, num_colors, basis = len(means), colors.shape[3], scratch(means)
    real = means.dtype.type
    one, half, min_alpha, max_reach = real(1), real(0.5), real(1.0 / 255.0), real(3.33)
    near, far, eps2d, radius_clip, min_compensation = limits
    for piece in range(lo, hi):
        tile_counts[piece, :] = 0
        c, first, last = piece_range(piece, parts, num)
        rotation = camera_rotation(cameras, c)
        for n in range(first, last):
            i = c * num + n
            counts[i] = 0
            point = load(means, n)
            p = camera_point(rotation, cameras, c, point)
            z = p[2]
            opacity = opacities[n]
            if not (z >= near and z <= far and opacity >= min_alpha):
                continue
            quat, _ = unit_quat(quats, n)
            axes = axes_in_camera(rotation, quat_rotation(quat, one), load(scales, n))
            u, v, _, _ = clamped_slopes(cameras, c, p)
            row_x, row_y = image_axes(cameras, c, u, v, one / z, axes)
            cxx, cxy, cyy = dot(row_x, row_x), dot(row_x, row_y), dot(row_y, row_y)
            sharp = cxx * cyy - cxy * cxy
            cxx, cyy = cxx + eps2d, cyy + eps2d
            determinant = cxx * cyy - cxy * cxy
            if not determinant > 0:
                continue
            if antialiased:
                opacity *= math.sqrt(max(min_compensation, sharp / determinant))
                if not opacity >= min_alpha:
                    continue
            x, y = cameras[c, 12] * p[0] / z + cameras[c, 14], cameras[c, 13] * p[1] / z + cameras[c, 15]
            total, reach = _write_splat(records, i, x, y, cxx, cxy, cyy, determinant, opacity)
            total += write_color(records, i, colors, n, harmonics, cameras, c, point, basis)
            if with_depth:
                records[i, FIRST_CHANNEL + num_colors] = z
            radius = min(max_reach, reach) * math.sqrt(max(cxx, cyy))
            if not total < math.inf or math.ceil(radius) <= radius_clip:
                continue
            depths[i] = z
            x0, x1 = _pixel_range(x, records[i, 6], half, size[0])
            y0, y1 = _pixel_range(y, records[i, 7], half, size[1])
            if x0 < x1 and y0 < y1:
                rects[i, 0], rects[i, 1] = x0 // TILE, (x1 - 1) // TILE + 1
                rects[i, 2], rects[i, 3] = y0 // TILE, (y1 - 1) // TILE + 1
                counts[i] = count_tiles(rects, i, tile_counts, piece, (size[0] + TILE - 1) // TILE)
