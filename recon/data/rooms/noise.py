"""Tileable noise and cell patterns, the raw material of the textures."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Int32


def value_noise(
    rng: np.random.Generator, size: int, cells: tuple[int, int], octaves: int = 4, persistence: float = 0.55
) -> Float32[np.ndarray, "size size"]:
    """Fractal value noise of zero mean and unit deviation that repeats at the borders.

    Args:
        rng: Source of randomness.
        size: Edge in texels.
        cells: Cells of the coarsest octave along u (columns) and v (rows).
        octaves: Number of doublings.
        persistence: Amplitude ratio of neighbouring octaves.
    """
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        columns, rows = min(cells[0] << octave, size), min(cells[1] << octave, size)
        grid = rng.standard_normal((rows, columns)).astype(np.float32)
        padded = np.pad(grid, 2, mode="wrap")
        step_x, step_y = size / columns, size / rows
        x = (np.arange(size, dtype=np.float32) + 0.5) / step_x + 1.5
        y = (np.arange(size, dtype=np.float32) + 0.5) / step_y + 1.5
        map_x, map_y = np.meshgrid(x, y)
        total += persistence**octave * cv2.remap(padded, map_x, map_y, cv2.INTER_CUBIC)
    return (total - total.mean()) / max(float(total.std()), 1e-6)


@dataclass(frozen=True)
class Cells:
    """A pattern of rectangular cells in staggered rows that repeats at the borders.

    Attributes:
        index: Which cell a texel belongs to.
        u: Position inside the cell, 0..1 from left to right.
        v: Position inside the cell, 0..1 from top to bottom.
        edge: Distance to the cell's border in texels.
        count: Number of cells.
    """

    index: Int32[np.ndarray, "size size"]
    u: Float32[np.ndarray, "size size"]
    v: Float32[np.ndarray, "size size"]
    edge: Float32[np.ndarray, "size size"]
    count: int

    def each(self, values: np.ndarray) -> np.ndarray:
        """One value of `values` [count, ...] for every texel."""
        return values[self.index]


def cells(size: int, columns: int, rows: int, shifts: Float32[np.ndarray, " rows"]) -> Cells:
    """`rows` rows of `columns` cells; row r is shifted by shifts[r] cells."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    y = axis[:, None] * rows
    row = np.minimum(y.astype(np.int32), rows - 1)
    x = axis[None, :] * columns + shifts[row[:, 0]][:, None]
    column = np.floor(x).astype(np.int32) % columns
    u = (x - np.floor(x)).astype(np.float32)
    v = np.broadcast_to(y - row, u.shape).astype(np.float32)
    edge = np.minimum(np.minimum(u, 1 - u) * size / columns, np.minimum(v, 1 - v) * size / rows)
    return Cells((row * columns + column).astype(np.int32), u, v, edge.astype(np.float32), rows * columns)


def blend(
    low: Float32[np.ndarray, "3"], high: Float32[np.ndarray, "3"], weight: Float32[np.ndarray, "size size"]
) -> Float32[np.ndarray, "size size 3"]:
    """Colour from `low` (weight 0) to `high` (weight 1)."""
    return low + (high - low) * np.clip(weight, 0, 1)[..., None]


def hsv(hue: float, saturation: float, value: float) -> Float32[np.ndarray, "3"]:
    """An sRGB colour; hue in turns."""
    phase = (np.array([0.0, 2 / 3, 1 / 3]) + hue % 1) % 1 * 6
    channel = np.clip(np.abs(phase - 3) - 1, 0, 1)
    return (value * (1 - saturation + saturation * channel)).astype(np.float32)


def room_hue(rng: np.random.Generator) -> float:
    """A hue as people choose for rooms: reds, ochres, greens and blues, hardly any violet."""
    return float(rng.uniform(0, 0.68)) if rng.random() < 0.93 else float(rng.random())


def darken_edges(image: np.ndarray, edge: np.ndarray, width: float, amount: float) -> np.ndarray:
    """`image` multiplied by 1 - amount on cell borders `width` texels wide, softly."""
    return image * (1 - amount * np.clip(width - edge + 0.5, 0, 1))[..., None]
