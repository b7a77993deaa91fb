"""Gradient of `forward.blend`, front to back again.

Let g be the gradient of a pixel's colour, G that of its alpha less g . background, s_i = g . c_i + G, w_i = alpha_i T_i.
Then dL/dalpha_i = T_i s_i - R_i / (1 - alpha_i) with R_i = sum over j > i of w_j s_j. R starts as the whole sum,
g . C + G (1 - T), and loses w_i s_i at each step: nothing but the image has to be kept from the forward pass.
"""

import numpy as np

from recon.render.cpu.exp2 import MIN_EXPONENT, exp2_times_8
from recon.render.cpu.forward import block_range, find_live_blocks, open_tile
from recon.render.cpu.jit import inlined, kernel
from recon.render.cpu.layout import (
    BLOCKS_PER_ROW,
    FIRST_CHANNEL,
    LANES,
    NUM_MOMENTS,
    REFRESH,
    STOP_TRANSMITTANCE,
    TILE,
    TILE_PIXELS,
)


@inlined
def _open_gradients(
    state, offsets, camera, x0, y0, columns, rows, backgrounds, channels, color, alpha, g_color, g_alpha
):
    """Rows of the state: transmittance, R, G, g of each channel."""
    for i in range(TILE_PIXELS):
        dx, dy = int(offsets[0, i]), int(offsets[1, i])
        for k in range(1, len(state)):
            state[k, i] = 0
        if dx < columns and dy < rows:
            x, y = x0 + dx, y0 + dy
            covered = alpha[camera, y, x, 0]
            total_alpha = g_alpha[camera, y, x, 0]
            remaining = total_alpha - total_alpha
            for k in range(len(channels)):
                g = g_color[camera, y, x, k]
                state[3 + k, i] = g
                total_alpha -= g * backgrounds[camera, k]
                remaining += g * (color[camera, y, x, k] - backgrounds[camera, k])
            # g . (C + T b) = g . C + g . b - (1 - T) g . b, and the last term is part of G (1 - T)
            state[2, i] = total_alpha
            state[1, i] = remaining + g_alpha[camera, y, x, 0] * covered


@inlined
def _gather_block(state, sums, offsets, first, records, r, x, y, max_alpha, channels):
    real = state.dtype.type
    one, zero, stop = real(1), real(0), real(STOP_TRANSMITTANCE)
    a, b, c, y0 = records[r, 2], records[r, 3], records[r, 4], records[r, 5]
    least = real(MIN_EXPONENT) - y0
    for lane in range(np.uint64(LANES)):
        i = first + lane
        dx, dy = offsets[0, i] - x, offsets[1, i] - y
        q = (a * dx + b * dy) * dx + c * dy * dy
        full = exp2_times_8(max(q, least) + y0)
        alpha = min(full, max_alpha)
        transmittance = state[0, i]
        rest = transmittance * (one - alpha)
        hit = (q >= least) & (q <= zero) & (transmittance > zero)
        adds = hit & (rest > stop)
        weight = alpha * transmittance if adds else zero
        value = state[2, i]
        for k in range(len(channels)):
            value += state[3 + k, i] * records[r, FIRST_CHANNEL + k]
            sums[NUM_MOMENTS + k, lane] += weight * state[3 + k, i]
        after = state[1, i] - weight * value
        state[1, i] = after
        state[0, i] = rest if adds else (-transmittance if hit else transmittance)
        g = alpha * (transmittance * value - after / (one - alpha))
        u = g if adds & (full <= max_alpha) else zero
        sums[0, lane] += u
        sums[1, lane] += u * dx
        sums[2, lane] += u * dy
        sums[3, lane] += u * dx * dx
        sums[4, lane] += u * dx * dy
        sums[5, lane] += u * dy * dy


@kernel()
def blend_gradient(
    lo, hi, channels, grid, size, offsets, tile_starts, entry_pair, entry_slot, records, backgrounds, max_alpha,
    color, alpha, g_color, g_alpha, slots,
):  # fmt: skip
    """Sum the gradients of each entry of tiles lo..hi over the pixels of its tile.

    Args:
        lo: First tile.
        hi: Last tile plus one.
        channels: As in `forward.blend`, and so are grid, size, offsets, tile_starts, entry_pair, records, backgrounds
            and max_alpha.
        entry_slot: [M] row of `slots` of each entry.
        color: [C, height, width, D], the output of `forward.blend`.
        alpha: [C, height, width, 1], likewise.
        g_color: Gradient of `color`.
        g_alpha: Gradient of `alpha`.
        slots: Output [M, 6 + D], see `layout.NUM_MOMENTS`.
    """
    num_tiles = grid[0] * grid[1]
    state = np.empty((3 + len(channels), TILE_PIXELS), records.dtype)
    sums = np.empty((NUM_MOMENTS + len(channels), LANES), records.dtype)
    live = np.empty(BLOCKS_PER_ROW * BLOCKS_PER_ROW, np.bool_)
    one = records.dtype.type(1)
    for tile in range(lo, hi):
        camera, t = tile // num_tiles, tile % num_tiles
        x0, y0 = (t % grid[0]) * TILE, (t // grid[0]) * TILE
        columns, rows = size[0] - x0, size[1] - y0
        open_tile(state, offsets, columns, rows)
        _open_gradients(
            state, offsets, camera, x0, y0, columns, rows, backgrounds, channels, color, alpha, g_color, g_alpha
        )
        start, stop = tile_starts[tile], tile_starts[tile + 1]
        any_live = True
        for e in range(start, stop):
            if (e - start) % REFRESH == 0 and any_live:
                any_live = find_live_blocks(state, live)
            r, slot = entry_pair[e], entry_slot[e]
            if not any_live:
                slots[slot, :] = 0
                continue
            sums[:] = 0
            x, y = records[r, 0] - np.float32(x0), records[r, 1] - np.float32(y0)
            bx0, bx1 = block_range(x, records[r, 6], one)
            by0, by1 = block_range(y, records[r, 7], one)
            for by in range(by0, by1):
                for bx in range(bx0, bx1):
                    block = by * BLOCKS_PER_ROW + bx
                    if live[block]:
                        first = np.uint64(block * LANES)
                        _gather_block(state, sums, offsets, first, records, r, x, y, max_alpha, channels)
            for k in range(NUM_MOMENTS + len(channels)):
                total = sums[k, 0]
                for lane in range(1, LANES):
                    total += sums[k, lane]
                slots[slot, k] = total
