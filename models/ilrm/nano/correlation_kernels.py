"""Numba kernels of `correlation`. One pair of views is independent of all others."""

import numpy as np

from recon.render.cpu.jit import inlined, kernel

_F = np.float32


@inlined
def _taps(u, v, width, height):
    """Upper left source pixel of the bilinear footprint and the two fractions; -2 when wholly outside."""
    x = u - _F(0.5)
    y = v - _F(0.5)
    if not (x > _F(-1.0) and y > _F(-1.0) and x < _F(width) and y < _F(height)):
        return -2, -2, _F(0.0), _F(0.0)
    x0 = int(np.floor(x))
    y0 = int(np.floor(y))
    return x0, y0, x - _F(x0), y - _F(y0)


@kernel()
def correlate_forward(start, stop, reference, source, uv, out):
    """Pairs start to stop of `correlation.correlate`; all arrays float32 and C-contiguous."""
    _, num_planes, height, width, _ = uv.shape
    source_height, source_width, channels = source.shape[1], source.shape[2], source.shape[3]
    for p in range(start, stop):
        for d in range(num_planes):
            for i in range(height):
                for j in range(width):
                    x0, y0, fx, fy = _taps(uv[p, d, i, j, 0], uv[p, d, i, j, 1], source_width, source_height)
                    total = _F(0.0)
                    if x0 > -2:
                        for dy in range(2):
                            for dx in range(2):
                                x, y = x0 + dx, y0 + dy
                                if x >= 0 and y >= 0 and x < source_width and y < source_height:
                                    weight = (fx if dx else _F(1.0) - fx) * (fy if dy else _F(1.0) - fy)
                                    dot = _F(0.0)
                                    for c in range(channels):
                                        dot += reference[p, i, j, c] * source[p, y, x, c]
                                    total += weight * dot
                    out[p, d, i, j] = total


@kernel()
def correlate_backward(start, stop, reference, source, uv, grad, grad_reference, grad_source):
    """Adds the gradients of `correlate_forward` to grad_reference and grad_source."""
    _, num_planes, height, width, _ = uv.shape
    source_height, source_width, channels = source.shape[1], source.shape[2], source.shape[3]
    for p in range(start, stop):
        for d in range(num_planes):
            for i in range(height):
                for j in range(width):
                    x0, y0, fx, fy = _taps(uv[p, d, i, j, 0], uv[p, d, i, j, 1], source_width, source_height)
                    if x0 > -2:
                        for dy in range(2):
                            for dx in range(2):
                                x, y = x0 + dx, y0 + dy
                                if x >= 0 and y >= 0 and x < source_width and y < source_height:
                                    weight = (fx if dx else _F(1.0) - fx) * (fy if dy else _F(1.0) - fy)
                                    g = weight * grad[p, d, i, j]
                                    for c in range(channels):
                                        grad_reference[p, i, j, c] += g * source[p, y, x, c]
                                        grad_source[p, y, x, c] += g * reference[p, i, j, c]
