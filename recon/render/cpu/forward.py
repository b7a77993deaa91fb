"""Alpha blending of the tile lists, front to back (Kerbl et al. 2023, eq. 3)."""

import numpy as np

from recon.render.cpu.exp2 import MIN_EXPONENT, exp2_times_8
from recon.render.cpu.jit import allocating, inlined, kernel
from recon.render.cpu.lane_memory import load, prefetch, store
from recon.render.cpu.lanes import any_lane, lowest_bit, minus_abs, select
from recon.render.cpu.layout import (
    BLOCK,
    BLOCKS_PER_ROW,
    CACHE_LINE,
    FIRST_CHANNEL,
    LANES,
    LOOK_AHEAD,
    NUM_BLOCKS,
    REFRESH,
    STOP_TRANSMITTANCE,
    TILE,
    TILE_PIXELS,
)


@allocating
def aligned_rows(num_rows, num_columns, like):
    """An array of the type of `like` that begins at a cache line."""
    spare = CACHE_LINE // like.itemsize
    flat = np.empty(num_rows * num_columns + spare, like.dtype)
    first = (-flat.ctypes.data % CACHE_LINE) // like.itemsize
    return flat[first : first + num_rows * num_columns].reshape(num_rows, num_columns)


@inlined
def open_tile(state, offsets, columns, rows):
    """Row 0 of the state is the transmittance: 1, or -1 where the tile sticks out of the image."""
    real = state.dtype.type
    for i in range(TILE_PIXELS):
        inside = (offsets[0, i] < columns) & (offsets[1, i] < rows)
        state[0, i] = real(1) if inside else real(-1)


@inlined
def live_blocks(state):
    """Bits of the blocks that have a pixel which is not stopped."""
    live = 0
    for b in range(NUM_BLOCKS):
        if any_lane(load(state, 0, b * LANES) > state.dtype.type(0)):
            live |= 1 << b
    return live


@inlined
def _blocks_within(center, extent, real):
    """First and last-plus-one block of a tile row or column that the interval center +- extent touches."""
    zero, most, per_block = real(0), real(BLOCKS_PER_ROW), real(1 / BLOCK)
    first = int(min(max((center - extent) * per_block, zero), most))
    last = int(min(max((center + extent) * per_block, zero), most - real(1))) + 1
    return first, last


@inlined
def blocks_of_rectangle(x, y, half_width, half_height, real):
    """Bits of the blocks that a rectangle touches."""
    x0, x1 = _blocks_within(x, half_width, real)
    y0, y1 = _blocks_within(y, half_height, real)
    columns = ((1 << x1) - (1 << x0)) * 0x1111
    rows = (1 << (BLOCKS_PER_ROW * y1)) - (1 << (BLOCKS_PER_ROW * y0))
    return columns & rows


@inlined
def alpha_of(records, r, dx, dy):
    """Opacity of a Gaussian in 16 pixels before it is capped, and where it counts."""
    real = records.dtype.type
    bend = dy * (dy * records[r, 4]) + records[r, 5]
    y = (dx * records[r, 2] + dy * records[r, 3]) * dx + bend
    # outside [-1, 0] the polynomial is wrong, but not NaN
    return exp2_times_8(y), (y >= real(MIN_EXPONENT)) & (y <= records[r, 5])


@inlined
def _shade_block(state, first, dx, dy, records, r, max_alpha, channels):
    """Blend one Gaussian into the 16 pixels from `first`; whether it reached any of them."""
    real = state.dtype.type
    zero, stop = real(0), real(STOP_TRANSMITTANCE)
    full, counts = alpha_of(records, r, dx, dy)
    alpha = select(counts, min(full, max_alpha), zero)
    transmittance = load(state, 0, first)
    weight = transmittance * alpha
    rest = transmittance - weight
    goes_on = rest > stop
    store(state, 0, first, select(goes_on, rest, minus_abs(transmittance)))
    weight = select(goes_on, weight, zero)
    for k in range(len(channels)):
        store(state, 1 + k, first, load(state, 1 + k, first) + weight * records[r, FIRST_CHANNEL + k])
    return any_lane(weight > zero)


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
    lo, hi, channels, grid, size, offsets, max_alpha, tile_starts, entry_pair, records, backgrounds,
    color_out, alpha_out, tile_stops, entry_blocks,
):  # fmt: skip
    """Render tiles lo..hi (camera-major).

    Args:
        lo: First tile.
        hi: Last tile plus one.
        channels: A tuple whose length is the number of channels D, so that it is known when compiling.
        grid: Tiles of one camera (in x, in y).
        size: (width, height).
        offsets: [2, 256], see `layout.pixel_offsets`.
        max_alpha: Cap of alpha.
        tile_starts: [C tiles + 1] first entry of each tile.
        entry_pair: [M] pair of each entry, near to far.
        records: [C N, W].
        backgrounds: [C, D].
        color_out: Output [C, height, width, D].
        alpha_out: Output [C, height, width, 1].
        tile_stops: Output [C tiles], where each list is cut because all pixels are stopped.
        entry_blocks: Output [M], bits of the blocks in which the entry changed a pixel; undefined behind the stops.
    """
    num_tiles = grid[0] * grid[1]
    state = aligned_rows(1 + len(channels), TILE_PIXELS, records)
    real = records.dtype.type
    for tile in range(lo, hi):
        camera, t = tile // num_tiles, tile % num_tiles
        x0, y0 = (t % grid[0]) * TILE, (t // grid[0]) * TILE
        columns, rows = size[0] - x0, size[1] - y0
        state[:] = 0
        open_tile(state, offsets, columns, rows)
        start, stop = tile_starts[tile], tile_starts[tile + 1]
        tile_stops[tile] = stop
        live = 0
        for e in range(start, stop):
            if (e - start) % REFRESH == 0:
                live = live_blocks(state)
                if live == 0:
                    tile_stops[tile] = e
                    break
            prefetch(records, entry_pair[min(e + LOOK_AHEAD, stop - 1)])
            r = entry_pair[e]
            x, y = records[r, 0] - real(x0), records[r, 1] - real(y0)
            todo = live & blocks_of_rectangle(x, y, records[r, 6], records[r, 7], real)
            hit = 0
            while todo != 0:
                block = lowest_bit(todo)
                todo &= todo - 1
                dx, dy = load(offsets, 0, block * LANES) - x, load(offsets, 1, block * LANES) - y
                if _shade_block(state, block * LANES, dx, dy, records, r, max_alpha, channels):
                    hit |= 1 << block
            entry_blocks[e] = hit
        _close_tile(state, offsets, camera, x0, y0, columns, rows, backgrounds, channels, color_out, alpha_out)
