"""Which Gaussians touch which tile, and their order.

The pairs of a camera and its Gaussians are cut into pieces, so that several threads can work on one camera. Each piece
counts its pairs per tile; from the counts follows where each piece writes into each tile's list. Then every list is
sorted on its own.
"""

import numpy as np

from recon.render.cpu.jit import inlined, kernel

_DIGIT_BITS = 8
_NUM_DIGITS = 1 << _DIGIT_BITS
_LOCAL_BITS = 32


@inlined
def piece_range(piece, parts, num):
    """Camera, first Gaussian and last Gaussian plus one of a piece."""
    camera, part = piece // parts, piece % parts
    return camera, part * num // parts, (part + 1) * num // parts


@inlined
def next_tile(tile, x, width, tiles_x):
    """The tile after `tile` in a rectangle whose rows are `width` tiles long, and its column in the rectangle.

    One loop over a rectangle instead of two: the end of a short loop is hard to predict, and costs as much as its body.
    """
    x += 1
    ends = x == width
    return tile + (tiles_x - width + 1 if ends else 1), 0 if ends else x


@inlined
def count_tiles(x0, x1, y0, y1, tile_counts, piece, tiles_x):
    """Count the tiles of a rectangle for its piece; how many they are."""
    width, tile, x = x1 - x0, y0 * tiles_x + x0, 0
    count = width * (y1 - y0)
    for _ in range(count):
        tile_counts[piece, tile] += 1
        tile, x = next_tile(tile, x, width, tiles_x)
    return count


@kernel()
def place_lists(parts, tile_counts, tile_starts, piece_slots):
    """From counts to places.

    Args:
        parts: Pieces of one camera.
        tile_counts: [C parts, tiles]; the counts become each piece's first place in each tile's list.
        tile_starts: Output [C tiles + 1], first place of each list.
        piece_slots: Output [C parts + 1], first slot of each piece.
    """
    num_tiles = tile_counts.shape[1]
    piece_slots[:] = 0
    place = 0
    for camera in range(tile_counts.shape[0] // parts):
        for t in range(num_tiles):
            tile_starts[camera * num_tiles + t] = place
            for piece in range(camera * parts, (camera + 1) * parts):
                count = tile_counts[piece, t]
                tile_counts[piece, t] = place
                place += count
                piece_slots[piece + 1] += count
    tile_starts[len(tile_starts) - 1] = place
    for piece in range(len(piece_slots) - 1):
        piece_slots[piece + 1] += piece_slots[piece]


@kernel()
def fill_lists(lo, hi, parts, num, tiles_x, counts, rects, tile_nexts, piece_slots, offsets, entry_pair, entry_slot):
    """Write pieces lo..hi into the tile lists, unsorted.

    Args:
        lo: First piece.
        hi: Last piece plus one.
        parts: Pieces of one camera.
        num: Gaussians.
        tiles_x: Tiles of a row.
        counts: [C N] tiles of each pair.
        rects: [C N, 3] first column and row, and columns, of each pair's tiles.
        tile_nexts: [C parts, tiles] next place of each piece in each list; used up.
        piece_slots: [C parts + 1] first slot of each piece.
        offsets: Output [C N + 1] first slot of each pair.
        entry_pair: Output [M] pair of each list entry.
        entry_slot: Output [M] a number of its own for each entry, ascending by pair.
    """
    for piece in range(lo, hi):
        slot = piece_slots[piece]
        c, first, last = piece_range(piece, parts, num)
        for i in range(c * num + first, c * num + last):
            offsets[i] = slot
            if counts[i] == 0:
                continue
            width, tile, x = np.int64(rects[i, 2]), np.int64(rects[i, 1]) * tiles_x + rects[i, 0], 0
            for _ in range(counts[i]):
                place = tile_nexts[piece, tile]
                tile_nexts[piece, tile] = place + 1
                entry_pair[place], entry_slot[place] = i, slot
                slot += 1
                tile, x = next_tile(tile, x, width, tiles_x)
        offsets[c * num + last] = slot


@inlined
def _sort_by_high_half(keys, places, num):
    """Stable radix sort of keys[0, :num] by their upper 32 bits; the row of `keys` [2, ...] that holds the result."""
    lowest, highest = keys[0, 0], keys[0, 0]
    for i in range(num):
        lowest, highest = min(lowest, keys[0, i]), max(highest, keys[0, i])
    base = lowest >> np.uint64(_LOCAL_BITS)
    spread = (highest >> np.uint64(_LOCAL_BITS)) - base
    row, shift = 0, np.uint64(0)
    while (spread >> shift) != 0:
        places[:] = 0
        for i in range(num):
            places[_digit(keys[row, i], base, shift)] += 1
        total = 0
        for d in range(_NUM_DIGITS):
            count = places[d]
            places[d] = total
            total += count
        for i in range(num):
            digit = _digit(keys[row, i], base, shift)
            keys[1 - row, places[digit]] = keys[row, i]
            places[digit] += 1
        row = 1 - row
        shift += np.uint64(_DIGIT_BITS)
    return row


@inlined
def _digit(key, base, shift):
    return (((key >> np.uint64(_LOCAL_BITS)) - base) >> shift) & np.uint64(_NUM_DIGITS - 1)


@kernel()
def sort_lists(lo, hi, depth_bits, tile_starts, entry_pair, entry_slot):
    """Order the lists of tiles lo..hi from near to far; equal depths by pair.

    Positive floats order like their bit patterns `depth_bits` [C N], uint32. A key is depth over place in the list.
    """
    longest = 0
    for tile in range(lo, hi):
        longest = max(longest, tile_starts[tile + 1] - tile_starts[tile])
    keys = np.empty((2, longest), np.uint64)
    pairs, slots = np.empty(longest, np.int32), np.empty(longest, np.int32)
    places = np.empty(_NUM_DIGITS, np.int64)
    for tile in range(lo, hi):
        start = tile_starts[tile]
        num = tile_starts[tile + 1] - start
        if num < 2:
            continue
        for i in range(num):
            pairs[i], slots[i] = entry_pair[start + i], entry_slot[start + i]
            keys[0, i] = (np.uint64(depth_bits[pairs[i]]) << np.uint64(_LOCAL_BITS)) | np.uint64(i)
        row = _sort_by_high_half(keys, places, num)
        for i in range(num):
            place = np.int64(keys[row, i] & np.uint64((1 << _LOCAL_BITS) - 1))
            entry_pair[start + i], entry_slot[start + i] = pairs[place], slots[place]
