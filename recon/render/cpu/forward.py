"""Alpha blending of the tile lists, front to back (Kerbl et al. 2023, eq. 3)."""

import math

import numpy as np

from recon.render.cpu.exp2 import MIN_EXPONENT, exp2_times_8
from recon.render.cpu.jit import inlined, kernel
from recon.render.cpu.layout import (
    BLOCK,
    BLOCKS_PER_ROW,
    FIRST_CHANNEL,
    LANES,
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
        highest = state[0, b * LANES]
        for i in range(b * LANES, (b + 1) * LANES):
            highest = max(highest, state[0, i])
        live[b] = highest > 0
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
def _shade_block(state, offsets, first, records, r, x, y, max_alpha, channels):
    real = state.dtype.type
    one, zero, stop = real(1), real(0), real(STOP_TRANSMITTANCE)
    a, b, c, y0 = records[r, 2], records[r, 3], records[r, 4], records[r, 5]
    least = real(MIN_EXPONENT) - y0
    for i in range(first, first + np.uint64(LANES)):
        dx, dy = offsets[0, i] - x, offsets[1, i] - y
        q = (a * dx + b * dy) * dx + c * dy * dy
        alpha = min(exp2_times_8(max(q, least) + y0), max_alpha)
        transmittance = state[0, i]
        rest = transmittance * (one - alpha)
        hit = (q >= least) & (q <= zero) & (transmittance > zero)
        adds = hit & (rest > stop)
        weight = alpha * transmittance if adds else zero
        state[0, i] = rest if adds else (-transmittance if hit else transmittance)
        for k in range(len(channels)):
            state[1 + k, i] += weight * records[r, FIRST_CHANNEL + k]


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
    one = records.dtype.type(1)
    for tile in range(lo, hi):
        camera, t = tile // num_tiles, tile % num_tiles
        x0, y0 = (t % grid[0]) * TILE, (t // grid[0]) * TILE
        columns, rows = size[0] - x0, size[1] - y0
        state[:] = 0
        open_tile(state, offsets, columns, rows)
        start = tile_starts[tile]
        for e in range(start, tile_starts[tile + 1]):
            if (e - start) % REFRESH == 0 and not find_live_blocks(state, live):
                break
            r = entry_pair[e]
            x, y = records[r, 0] - np.float32(x0), records[r, 1] - np.float32(y0)
            bx0, bx1 = block_range(x, records[r, 6], one)
            by0, by1 = block_range(y, records[r, 7], one)
            for by in range(by0, by1):
                for bx in range(bx0, bx1):
                    block = by * BLOCKS_PER_ROW + bx
                    if live[block]:
                        _shade_block(state, offsets, np.uint64(block * LANES), records, r, x, y, max_alpha, channels)
        _close_tile(state, offsets, camera, x0, y0, columns, rows, backgrounds, channels, color_out, alpha_out)
