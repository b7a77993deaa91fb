"""Alpha blending of the tile lists, front to back (Kerbl et al. 2023, eq. 3)."""

import math

import numpy as np

from recon.render.cpu.exp2 import MIN_EXPONENT, exp2_times_8
from recon.render.cpu.jit import inlined, kernel
from recon.render.cpu.lanes import any_lane, load, minus_abs, prefetch, select, store
from recon.render.cpu.layout import (
    BLOCK,
    BLOCKS_PER_ROW,
    FIRST_CHANNEL,
    LANES,
    LOOK_AHEAD,
    REFRESH,
    STOP_TRANSMITTANCE,
    TILE,
    TILE_PIXELS,
)


@inlined
def open_tile(state, offsets, columns, rows):
    """Row 0 of the state is the transmittance: 1, or -1 where the tile sticks out of the image."""
    real = state.dtype.type
    for i in range(TILE_PIXELS):
        inside = (offsets[0, i] < columns) & (offsets[1, i] < rows)
        state[0, i] = real(1) if inside else real(-1)


@inlined
def find_live_blocks(state, live):
    """Note which blocks have a pixel that is not stopped; whether there is any."""
    any_live = False
    for b in range(len(live)):
        live[b] = any_lane(load(state, 0, b * LANES) > state.dtype.type(0))
        any_live |= live[b]
    return any_live


@inlined
def block_range(center, extent, one):
    """First and last-plus-one block of a tile row or column that the interval center +- extent touches."""
    size, most = one * np.float32(BLOCK), one * np.float32(BLOCKS_PER_ROW)
    zero = one - one
    first = math.floor(min(max((center - extent) / size, zero), most))
    last = math.floor(min(max((center + extent) / size, -one), most - one)) + 1
    return int(first), int(last)


@inlined
def _shade_block(state, first, dx, bend_y, slope_y, records, r, least, max_alpha, channels):
    """Blend one Gaussian into the 16 pixels from `first`; the exponent is y0 + (A dx + B dy) dx + C dy^2."""
    real = state.dtype.type
    zero, stop = real(0), real(STOP_TRANSMITTANCE)
    q = (dx * records[r, 2] + slope_y) * dx + bend_y
    alpha = min(exp2_times_8(max(q, least) + records[r, 5]), max_alpha)
    alpha = select((q >= least) & (q <= zero), alpha, zero)
    transmittance = load(state, 0, first)
    weight = transmittance * alpha
    rest = transmittance - weight
    goes_on = rest > stop
    store(state, 0, first, select(goes_on, rest, minus_abs(transmittance)))
    weight = select(goes_on, weight, zero)
    for k in range(len(channels)):
        store(state, 1 + k, first, load(state, 1 + k, first) + weight * records[r, FIRST_CHANNEL + k])


@inlined
def _close_tile(state, offsets, camera, x0, y0, columns, rows, backgrounds, channels, color_out, alpha_out):
    one = state.dtype.type(1)
    for i in range(TILE_PIXELS):
        dx, dy = int(offsets[0, i]), int(offsets[1, i])
        if dx < columns and dy < rows:
            transmittance = abs(state[0, i])
            alpha_out[camera, y0 + dy, x0 + dx, 0] = one - transmittance
            for k in range(len(channels)):
                color = state[1 + k, i] + transmittance * backgrounds[camera, k]
                color_out[camera, y0 + dy, x0 + dx, k] = color


@kernel()
def blend(
    lo,
    hi,
    channels,
    grid,
    size,
    offsets,
    tile_starts,
    entry_pair,
    records,
    backgrounds,
    max_alpha,
    color_out,
    alpha_out,
):
    """Render tiles lo..hi (camera-major).

    Args:
        lo: First tile.
        hi: Last tile plus one.
        channels: A tuple whose length is the number of channels D, so that it is known when compiling.
        grid: Tiles of one camera (in x, in y).
        size: (width, height).
        offsets: [2, 256], see `layout.pixel_offsets`.
        tile_starts: [C tiles + 1] first entry of each tile.
        entry_pair: [M] pair of each entry, near to far.
        records: [C N, W].
        backgrounds: [C, D].
        max_alpha: Cap of alpha.
        color_out: Output [C, height, width, D].
        alpha_out: Output [C, height, width, 1].
    """
    num_tiles = grid[0] * grid[1]
    state = np.empty((1 + len(channels), TILE_PIXELS), records.dtype)
    live = np.empty(BLOCKS_PER_ROW * BLOCKS_PER_ROW, np.bool_)
    real = records.dtype.type
    lane_x, lane_y = load(offsets, 0, 0), load(offsets, 1, 0)
    for tile in range(lo, hi):
        camera, t = tile // num_tiles, tile % num_tiles
        x0, y0 = (t % grid[0]) * TILE, (t // grid[0]) * TILE
        columns, rows = size[0] - x0, size[1] - y0
        state[:] = 0
        open_tile(state, offsets, columns, rows)
        start, stop = tile_starts[tile], tile_starts[tile + 1]
        for e in range(start, stop):
            if (e - start) % REFRESH == 0 and not find_live_blocks(state, live):
                break
            prefetch(records, entry_pair[min(e + LOOK_AHEAD, stop - 1)])
            r = entry_pair[e]
            x, y = records[r, 0] - real(x0), records[r, 1] - real(y0)
            bx0, bx1 = block_range(x, records[r, 6], real(1))
            by0, by1 = block_range(y, records[r, 7], real(1))
            least = real(MIN_EXPONENT) - records[r, 5]
            for by in range(by0, by1):
                dy = lane_y - (y - real(BLOCK * by))
                slope_y, bend_y = dy * records[r, 3], dy * dy * records[r, 4]
                for bx in range(bx0, bx1):
                    block = by * BLOCKS_PER_ROW + bx
                    if live[block]:
                        dx = lane_x - (x - real(BLOCK * bx))
                        _shade_block(state, block * LANES, dx, bend_y, slope_y, records, r, least, max_alpha, channels)
        _close_tile(state, offsets, camera, x0, y0, columns, rows, backgrounds, channels, color_out, alpha_out)
