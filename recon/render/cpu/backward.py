"""Gradient of `forward.blend`, front to back again.

Let g be the gradient of a pixel's colour, G that of its alpha less g . background, s_i = g . c_i + G and
w_i = alpha_i T_i. Then dL/dalpha_i = T_i s_i - R_i / (1 - alpha_i) with R_i = sum over j > i of w_j s_j. R starts as
the whole sum, g . C + G (1 - T), and loses w_i s_i at each step: nothing but the image is kept from the forward pass.
"""

import numpy as np

from recon.render.cpu.forward import aligned_rows, alpha_of, open_tile
from recon.render.cpu.jit import inlined, kernel
from recon.render.cpu.lane_memory import accumulate, load, prefetch, store, store_totals, zero_stack
from recon.render.cpu.lanes import lowest_bit, minus_abs, select
from recon.render.cpu.layout import (
    FIRST_CHANNEL,
    LANES,
    LOOK_AHEAD,
    MOMENTS,
    NUM_MOMENTS,
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
            # g . C + G (1 - T), written without T: C + T b is the image, and G holds -g . b
            state[2, i] = total_alpha
            state[1, i] = remaining + g_alpha[camera, y, x, 0] * covered


@inlined
def _gather_block(state, sums, first, dx, dy, records, r, max_alpha, channels):
    """Add the gradients of 16 pixels to the sums of one Gaussian, and take the Gaussian off R."""
    real = state.dtype.type
    one, zero, stop = real(1), real(0), real(STOP_TRANSMITTANCE)
    full, counts = alpha_of(records, r, dx, dy)
    alpha = select(counts, min(full, max_alpha), zero)
    transmittance = load(state, 0, first)
    weight = transmittance * alpha
    rest = transmittance - weight
    goes_on = rest > stop
    store(state, 0, first, select(goes_on, rest, minus_abs(transmittance)))
    weight = select(goes_on, weight, zero)
    value = load(state, 2, first)
    for k in range(len(channels)):
        g = load(state, 3 + k, first)
        value = value + g * records[r, FIRST_CHANNEL + k]
        accumulate(sums, NUM_MOMENTS + k, weight * g)
    gain = weight * value
    after = load(state, 1, first) - gain
    store(state, 1, first, after)
    u = select(goes_on & (full <= max_alpha), gain - alpha * after / (one - alpha), zero)
    u_x, u_y = u * dx, u * dy
    accumulate(sums, 0, u)
    accumulate(sums, 1, u_x)
    accumulate(sums, 2, u_y)
    accumulate(sums, 3, u_x * dx)
    accumulate(sums, 4, u_x * dy)
    accumulate(sums, 5, u_y * dy)


@kernel()
def blend_gradient(
    lo, hi, channels, grid, size, offsets, max_alpha, tile_starts, tile_stops, entry_pair, entry_slot, entry_blocks,
    records, backgrounds, color, alpha, g_color, g_alpha, slots,
):  # fmt: skip
    """Sum the gradients of each entry of tiles lo..hi over the pixels of its tile.

    Arguments are those of `forward.blend`; `color`, `alpha`, `tile_stops` and `entry_blocks` are its outputs, `g_color`
    and `g_alpha` gradients, `entry_slot` [M] the row of `slots` of each entry, and `slots` the output [M, 6 + D], see
    `layout.NUM_MOMENTS`.
    """
    num_tiles = grid[0] * grid[1]
    state = aligned_rows(3 + len(channels), TILE_PIXELS, records)
    real = records.dtype.type
    for tile in range(lo, hi):
        camera, t = tile // num_tiles, tile % num_tiles
        x0, y0 = (t % grid[0]) * TILE, (t // grid[0]) * TILE
        columns, rows = size[0] - x0, size[1] - y0
        open_tile(state, offsets, columns, rows)
        _open_gradients(
            state, offsets, camera, x0, y0, columns, rows, backgrounds, channels, color, alpha, g_color, g_alpha
        )
        start, stop = tile_starts[tile], tile_stops[tile]
        for e in range(start, stop):
            prefetch(records, entry_pair[min(e + LOOK_AHEAD, stop - 1)])
            r = entry_pair[e]
            sums = zero_stack(load(state, 0, 0), MOMENTS, channels)
            x, y = records[r, 0] - real(x0), records[r, 1] - real(y0)
            todo = np.int64(entry_blocks[e])
            while todo != 0:
                first = lowest_bit(todo) * LANES
                todo &= todo - 1
                dx, dy = load(offsets, 0, first) - x, load(offsets, 1, first) - y
                _gather_block(state, sums, first, dx, dy, records, r, max_alpha, channels)
            store_totals(slots, entry_slot[e], sums)
        for e in range(stop, tile_starts[tile + 1]):
            for k in range(slots.shape[1]):
                slots[entry_slot[e], k] = 0
