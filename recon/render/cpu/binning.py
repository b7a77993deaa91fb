"""Depth order and tile lists."""

import numpy as np

from recon.render.cpu.jit import inlined, kernel

_DIGIT_BITS = 11
_NUM_PASSES = 3
_NUM_BUCKETS = 1 << _DIGIT_BITS


@inlined
def _radix_pass(keys, values, keys_out, values_out, shift):
    """One stable counting pass over the digit at `shift`."""
    starts = np.zeros(_NUM_BUCKETS + 1, np.int64)
    mask = np.uint32(_NUM_BUCKETS - 1)
    for i in range(len(keys)):
        starts[((keys[i] >> shift) & mask) + np.uint32(1)] += 1
    for b in range(_NUM_BUCKETS):
        starts[b + 1] += starts[b]
    for i in range(len(keys)):
        digit = (keys[i] >> shift) & mask
        place = starts[digit]
        starts[digit] = place + 1
        keys_out[place] = keys[i]
        values_out[place] = values[i]


@inlined
def depth_order(depth_bits, counts, first, last):
    """Indices of the visible pairs in first..last by increasing depth; equal depths keep their order.

    Positive floats order like their bit patterns, so three passes of 11 bits sort them.
    """
    num = 0
    for i in range(first, last):
        num += counts[i] > 0
    keys, keys_2 = np.empty(num, np.uint32), np.empty(num, np.uint32)
    values, values_2 = np.empty(num, np.int32), np.empty(num, np.int32)
    num = 0
    for i in range(first, last):
        if counts[i] > 0:
            keys[num], values[num] = depth_bits[i], i
            num += 1
    for p in range(_NUM_PASSES):
        _radix_pass(keys, values, keys_2, values_2, np.uint32(p * _DIGIT_BITS))
        keys, keys_2 = keys_2, keys
        values, values_2 = values_2, values
    return values


@kernel()
def bin_camera(lo, hi, num, grid, depth_bits, counts, offsets, rects, tile_starts, entry_pair, entry_slot):
    """Fill the tile lists of cameras lo..hi, each list from near to far.

    Args:
        lo: First camera.
        hi: Last camera plus one.
        num: Gaussians per camera.
        grid: Tiles (in x, in y).
        depth_bits: [C N] depths, reinterpreted as uint32.
        counts: [C N] tiles of each pair.
        offsets: [C N + 1] exclusive sums of `counts`: the first slot of each pair.
        rects: [C N, 4] tile rectangles.
        tile_starts: Output [C tiles + 1]; the caller sets the last one.
        entry_pair: Output [M], pair of each list entry.
        entry_slot: Output [M], a number of its own for each entry, ascending by pair.
    """
    tiles_x, num_tiles = grid[0], grid[0] * grid[1]
    for c in range(lo, hi):
        order = depth_order(depth_bits, counts, c * num, (c + 1) * num)
        starts = tile_starts[c * num_tiles : (c + 1) * num_tiles]
        nexts = np.zeros(num_tiles, np.int64)
        for i in order:
            for ty in range(rects[i, 2], rects[i, 3]):
                for tx in range(rects[i, 0], rects[i, 1]):
                    nexts[ty * tiles_x + tx] += 1
        total = offsets[c * num]
        for t in range(num_tiles):
            starts[t] = total
            total += nexts[t]
            nexts[t] = starts[t]
        for i in order:
            slot = offsets[i]
            for ty in range(rects[i, 2], rects[i, 3]):
                for tx in range(rects[i, 0], rects[i, 1]):
                    place = nexts[ty * tiles_x + tx]
                    nexts[ty * tiles_x + tx] = place + 1
                    entry_pair[place] = i
                    entry_slot[place] = slot
                    slot += 1
