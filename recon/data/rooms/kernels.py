"""Compiled inner loops: texture lookup, shading, light sampling.

Textures are filtered along the footprint of a pixel: the mip level follows the short axis of the ellipse that the pixel
covers on the surface, and up to MAX_TAPS lookups follow its long axis (as in Feline, McCormack et al. 1999).
"""

import math

import numpy as np

from recon.data.rooms.jit import compiled

MAX_TAPS = 5
SRGB_TO_LINEAR = np.array(
    [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.arange(256) / 255], np.float32
)


@compiled
def facing_normals(face, rays, positions, faces):
    """Unit face normals on the side of the rays' origins; zero for faces below 0."""
    out = np.zeros((len(face), 3), np.float32)
    for i in range(len(face)):
        if face[i] < 0:
            continue
        a, b, c = faces[face[i], 0], faces[face[i], 1], faces[face[i], 2]
        x1, y1, z1 = (
            positions[b, 0] - positions[a, 0],
            positions[b, 1] - positions[a, 1],
            positions[b, 2] - positions[a, 2],
        )
        x2, y2, z2 = (
            positions[c, 0] - positions[a, 0],
            positions[c, 1] - positions[a, 1],
            positions[c, 2] - positions[a, 2],
        )
        x, y, z = y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2
        scale = 1.0 / math.sqrt(x * x + y * y + z * z + 1e-30)
        if x * rays[i, 3] + y * rays[i, 4] + z * rays[i, 5] > 0.0:
            scale = -scale
        out[i, 0], out[i, 1], out[i, 2] = x * scale, y * scale, z * scale
    return out


@compiled
def _bilinear(texels, start, size, u, v, out, weight):
    """Add weight * texture(u, v) of one level; u and v in repeats, v upwards."""
    x = (u - math.floor(u)) * size - 0.5
    y = (1.0 - (v - math.floor(v))) * size - 0.5
    x0 = math.floor(x)
    y0 = math.floor(y)
    fx = x - x0
    fy = y - y0
    mask = size - 1
    for dy in range(2):
        wy = fy if dy == 1 else 1.0 - fy
        row = start + ((y0 + dy) & mask) * size
        for dx in range(2):
            w = weight * wy * (fx if dx == 1 else 1.0 - fx)
            texel = row + ((x0 + dx) & mask)
            for c in range(3):
                out[c] += w * SRGB_TO_LINEAR[texels[texel, c]]


@compiled
def _trilinear(texels, start, size, u, v, level, out, weight):
    """Add weight * texture(u, v) between two levels of the pyramid."""
    top = int(math.log2(size) + 0.5)
    level = min(max(level, 0.0), float(top))
    low = min(int(level), top)
    high = min(low + 1, top)
    part = level - low
    full = 4 * size * size
    size_low = size >> low
    size_high = size >> high
    _bilinear(texels, start + (full - 4 * size_low * size_low) // 3, size_low, u, v, out, weight * (1.0 - part))
    if part > 0.0:
        _bilinear(texels, start + (full - 4 * size_high * size_high) // 3, size_high, u, v, out, weight * part)


@compiled
def panorama_lookup(texels, start, size, direction, turn, gain, spread, out):
    """Radiance of the distant view; the texture covers half a turn and repeats, elevations 70 to -20 degrees."""
    length = math.sqrt(direction[0] ** 2 + direction[1] ** 2 + direction[2] ** 2)
    azimuth = math.atan2(direction[1], direction[0]) / math.pi + 2.0 * turn
    elevation = math.degrees(math.asin(min(max(direction[2] / length, -1.0), 1.0)))
    v = (min(max(elevation, -19.5), 69.5) + 20.0) / 90.0
    level = math.log2(max(spread * size / math.pi, 1.0))
    for c in range(3):
        out[c] = 0.0
    _trilinear(texels, start, size, azimuth, v, level, out, gain)


@compiled
def _uv_step(e1, e2, uv, step):
    """Change of texture coordinates along `step`, a vector in the plane of the triangle with edges e1 and e2."""
    g11 = e1[0] * e1[0] + e1[1] * e1[1] + e1[2] * e1[2]
    g12 = e1[0] * e2[0] + e1[1] * e2[1] + e1[2] * e2[2]
    g22 = e2[0] * e2[0] + e2[1] * e2[1] + e2[2] * e2[2]
    p1 = step[0] * e1[0] + step[1] * e1[1] + step[2] * e1[2]
    p2 = step[0] * e2[0] + step[1] * e2[1] + step[2] * e2[2]
    inverse = 1.0 / max(g11 * g22 - g12 * g12, 1e-20)
    a, b = (g22 * p1 - g12 * p2) * inverse, (g11 * p2 - g12 * p1) * inverse
    du = a * (uv[1, 0] - uv[0, 0]) + b * (uv[2, 0] - uv[0, 0])
    dv = a * (uv[1, 1] - uv[0, 1]) + b * (uv[2, 1] - uv[0, 1])
    return du, dv


@compiled
def _albedo(texels, start, size, corners, uv, repeat_u, repeat_v, weights, direction, normal, width, scratch, out):
    """Mean texture colour over the footprint of a pixel of `width` metres seen along unit `direction`."""
    e1, e2, minor, major = scratch[0], scratch[1], scratch[2], scratch[3]
    for i in range(3):
        e1[i] = corners[1, i] - corners[0, i]
        e2[i] = corners[2, i] - corners[0, i]
    cos = abs(normal[0] * direction[0] + normal[1] * direction[1] + normal[2] * direction[2])
    minor[0] = normal[1] * direction[2] - normal[2] * direction[1]
    minor[1] = normal[2] * direction[0] - normal[0] * direction[2]
    minor[2] = normal[0] * direction[1] - normal[1] * direction[0]
    length = math.sqrt(minor[0] ** 2 + minor[1] ** 2 + minor[2] ** 2)
    if length < 1e-4:
        for i in range(3):
            minor[i] = e1[i]
        length = math.sqrt(e1[0] ** 2 + e1[1] ** 2 + e1[2] ** 2) + 1e-12
    for i in range(3):
        minor[i] *= width / length
    major[0] = (normal[1] * minor[2] - normal[2] * minor[1]) / max(cos, 0.08)
    major[1] = (normal[2] * minor[0] - normal[0] * minor[2]) / max(cos, 0.08)
    major[2] = (normal[0] * minor[1] - normal[1] * minor[0]) / max(cos, 0.08)
    short_u, short_v = _uv_step(e1, e2, uv, minor)
    long_u, long_v = _uv_step(e1, e2, uv, major)
    short = size * math.sqrt((short_u * repeat_u) ** 2 + (short_v * repeat_v) ** 2)
    major_u, major_v = long_u * repeat_u, long_v * repeat_v
    long = size * math.sqrt(major_u * major_u + major_v * major_v)
    if short > long:
        short, long, major_u, major_v = long, short, 0.0, 0.0
    taps = min(max(math.ceil(long / max(short, 1.0) - 0.2), 1), MAX_TAPS)
    level = math.log2(max(short, long / taps, 1e-3))
    u = (weights[0] * uv[0, 0] + weights[1] * uv[1, 0] + weights[2] * uv[2, 0]) * repeat_u
    v = (weights[0] * uv[0, 1] + weights[1] * uv[1, 1] + weights[2] * uv[2, 1]) * repeat_v
    for c in range(3):
        out[c] = 0.0
    for tap in range(taps):
        shift = (tap + 0.5) / taps - 0.5
        _trilinear(texels, start, size, u + shift * major_u, v + shift * major_v, level, out, 1.0 / taps)


@compiled
def _gather(face, weights, positions, normals, uvs, faces, vertex_light, corners, uv, normal, base):
    """Corners and texture coordinates of a face; shading normal and light at `weights`."""
    for c in range(3):
        normal[c] = 0.0
        base[c] = 0.0
    for k in range(3):
        vertex = faces[face, k]
        for c in range(3):
            corners[k, c] = positions[vertex, c]
            normal[c] += weights[k] * normals[vertex, c]
            base[c] += weights[k] * vertex_light[vertex, c]
        uv[k, 0] = uvs[vertex, 0]
        uv[k, 1] = uvs[vertex, 1]


@compiled
def _orient(corners, direction, normal, flat):
    """Unit face normal into `flat`; unit shading normal turned against the ray."""
    for c in range(3):
        d = (c + 1) % 3
        e = (c + 2) % 3
        flat[c] = (corners[1, d] - corners[0, d]) * (corners[2, e] - corners[0, e])
        flat[c] -= (corners[1, e] - corners[0, e]) * (corners[2, d] - corners[0, d])
    flat_scale = 1.0 / math.sqrt(flat[0] ** 2 + flat[1] ** 2 + flat[2] ** 2 + 1e-30)
    scale = 1.0 / math.sqrt(normal[0] ** 2 + normal[1] ** 2 + normal[2] ** 2 + 1e-12)
    if normal[0] * direction[0] + normal[1] * direction[1] + normal[2] * direction[2] > 0.0:
        scale = -scale
    for c in range(3):
        flat[c] *= flat_scale
        normal[c] *= scale


@compiled
def _highlight(origin, direction, reach, normal, base, strength, lights, light_colors, out):
    """Add Phong highlights of small lights, dimmed where little light comes."""
    cos_view = -(normal[0] * direction[0] + normal[1] * direction[1] + normal[2] * direction[2])
    lit = strength * min(1.0, (base[0] + base[1] + base[2]) * 2.0)
    for k in range(len(lights)):
        squared, dot_normal, dot_mirror = 0.0, 0.0, 0.0
        for c in range(3):
            to_light = lights[k, c] - (origin[c] + direction[c] * reach)
            squared += to_light * to_light
            dot_normal += to_light * normal[c]
            dot_mirror += to_light * (direction[c] + 2.0 * cos_view * normal[c])
        if dot_normal > 0.0 and dot_mirror > 0.0:
            gloss = lit * (dot_mirror * dot_mirror / max(squared, 1e-6)) ** 20 / max(squared, 0.25)
            for c in range(3):
                out[c] += gloss * light_colors[k, c]


@compiled
def shade(
    face, bary, distance, rays, spread, sun_visible, sun_direction, sun_light, highlights, highlight_colors,
    positions, normals, uvs, faces, face_material, tint, emission, surface, texture,
    texels, texture_start, texture_size, vertex_light, panorama, panorama_turn, panorama_gain, out,
):  # fmt: skip
    """Radiance along rays.

    Args: see `recon.data.rooms.render`; `spread` is the angle of a pixel in radians per sample, `vertex_light` the
    irradiance over pi at vertices, `highlights` positions of small lights, `out` [samples, 3] is filled.
    """
    color, base, normal, flat, direction = np.empty(3), np.empty(3), np.empty(3), np.empty(3), np.empty(3)
    corners, uv, weights, scratch = np.empty((3, 3)), np.empty((3, 2)), np.empty(3), np.empty((4, 3))
    for i in range(len(face)):
        length = math.sqrt(rays[i, 3] ** 2 + rays[i, 4] ** 2 + rays[i, 5] ** 2)
        for c in range(3):
            direction[c] = rays[i, 3 + c] / length
        if face[i] < 0:
            panorama_lookup(
                texels, texture_start[panorama], texture_size[panorama], direction,
                panorama_turn, panorama_gain, spread[i], color,
            )  # fmt: skip
            for c in range(3):
                out[i, c] = color[c]
            continue
        weights[1], weights[2] = bary[i, 0], bary[i, 1]
        weights[0] = 1.0 - weights[1] - weights[2]
        _gather(face[i], weights, positions, normals, uvs, faces, vertex_light, corners, uv, normal, base)
        _orient(corners, direction, normal, flat)
        material, reach = face_material[face[i]], distance[i] * length
        color[0] = color[1] = color[2] = 1.0
        slot = texture[material]
        if slot >= 0:
            _albedo(
                texels, texture_start[slot], texture_size[slot], corners, uv, surface[material, 2],
                surface[material, 3], weights, direction, flat, reach * spread[i], scratch, color,
            )  # fmt: skip
        sun = normal[0] * sun_direction[0] + normal[1] * sun_direction[1] + normal[2] * sun_direction[2]
        sun = sun_visible[i] * max(0.0, sun)
        for c in range(3):
            out[i, c] = color[c] * tint[material, c] * (base[c] + sun * sun_light[c]) + emission[material, c]
        if surface[material, 0] > 0.0:
            _highlight(
                rays[i], direction, reach, normal, base, surface[material, 0], highlights, highlight_colors, out[i]
            )
