"""The arrays that the kernels share.

A record holds what a Gaussian looks like to one camera, in the real type of the inputs:

| column | content |
|---|---|
| 0, 1 | projected mean, pixels |
| 2, 3, 4 | conic a, b, c times -k/2, -k, -k/2: the exponent is y = y0 + A dx^2 + B dx dy + C dy^2 |
| 5 | y0 = k ln(opacity) |
| 6, 7 | half width and half height of the rectangle where alpha >= 1/255, pixels |
| 8... | colour channels, then depth if asked for |

with k = EXPONENT_SCALE. A row of three single-precision colours fills one cache line of 64 bytes.
"""

import numpy as np

TILE = 16
BLOCK = 4
LANES = BLOCK * BLOCK
BLOCKS_PER_ROW = TILE // BLOCK
NUM_BLOCKS = BLOCKS_PER_ROW**2
CACHE_LINE = 64
TILE_PIXELS = TILE * TILE
FIRST_CHANNEL = 8
# Sums of u, u dx, u dy, u dx^2, u dx dy, u dy^2 per (Gaussian, tile), u = alpha dL/dalpha; then colour gradients.
NUM_MOMENTS = 6
MOMENTS = (0,) * NUM_MOMENTS
STOP_TRANSMITTANCE = 1e-4
# Entries between two looks at which blocks of a tile are finished.
REFRESH = 32
# Entries between asking for a record and using it.
LOOK_AHEAD = 8


def record_width(num_channels: int) -> int:
    """Columns of a record, a multiple of 16."""
    return -(-(FIRST_CHANNEL + num_channels) // 16) * 16


def pixel_offsets(dtype: np.dtype) -> np.ndarray:
    """Pixel centres of a tile from its corner, [2, 256]: x and y in the kernels' order, 4x4 blocks row by row."""
    index = np.arange(TILE_PIXELS)
    block, lane = index // LANES, index % LANES
    x = (block % BLOCKS_PER_ROW) * BLOCK + lane % BLOCK + 0.5
    y = (block // BLOCKS_PER_ROW) * BLOCK + lane // BLOCK + 0.5
    return np.stack([x, y]).astype(dtype)
