"""Procedural paintings, posters, book rows, rugs, screens and packaging."""

import itertools

import cv2
import numpy as np
from jaxtyping import Float32

from recon.data.rooms.noise import blend, cells, darken_edges, hsv, value_noise
from recon.data.rooms.outdoors import landscape

Image = Float32[np.ndarray, "size size 3"]
Rng = np.random.Generator


def _palette(rng: Rng, count: int) -> Float32[np.ndarray, "count 3"]:
    hue, spread = rng.random(), rng.uniform(0.05, 0.5)
    saturation = rng.uniform(0.1, 0.8)
    colors = [
        hsv(hue + spread * rng.uniform(-1, 1), saturation * rng.uniform(0.4, 1), rng.uniform(0.1, 1))
        for _ in range(count)
    ]
    return np.stack(colors)


def _scatter(rng: Rng, image: Image, colors: Float32[np.ndarray, "count 3"], amount: int) -> Image:
    """Random ellipses, polygons and strokes."""
    size = len(image)
    canvas = np.ascontiguousarray(image, np.float32)
    for _ in range(amount):
        color = tuple(float(c) for c in colors[rng.integers(len(colors))])
        centre = rng.uniform(0, size, 2)
        radius = size * rng.uniform(0.02, 0.25)
        kind = rng.integers(0, 3)
        if kind == 0:
            axes = (int(radius) + 1, int(radius * rng.uniform(0.3, 1)) + 1)
            place = (int(centre[0]), int(centre[1]))
            cv2.ellipse(canvas, place, axes, float(rng.uniform(0, 180)), 0, 360, color, -1, cv2.LINE_AA)
        elif kind == 1:
            corners = centre + radius * rng.standard_normal((int(rng.integers(3, 7)), 2))
            cv2.fillPoly(canvas, [corners.astype(np.int32)], color, cv2.LINE_AA)
        else:
            end = centre + 3 * radius * rng.standard_normal(2)
            width = int(rng.integers(1, max(2, size // 40)))
            start_px, end_px = (tuple(int(v) for v in p) for p in (centre, end))
            cv2.line(canvas, start_px, end_px, color, width, cv2.LINE_AA)
    return canvas


def painting(rng: Rng, size: int) -> Image:
    """Abstract shapes, a landscape or brush clouds, sometimes with a white mat."""
    kind = rng.random()
    colors = _palette(rng, 6)
    if kind < 0.4:
        image = landscape(rng, size)
    elif kind < 0.75:
        ground = blend(colors[0], colors[1], 0.5 + 0.4 * value_noise(rng, size, (2, 3), 4))
        image = _scatter(rng, ground, colors, int(rng.integers(8, 60)))
    else:
        image = blend(colors[0], colors[1], 0.5 + 0.5 * value_noise(rng, size, (2, 2), 5))
        image = blend_over(image, colors[2], value_noise(rng, size, (3, 2), 5) > 0.6)
    image = image * (1 + 0.05 * value_noise(rng, size, (80, 80), 2))[..., None]
    if rng.random() < 0.5:
        mat = int(size * rng.uniform(0.06, 0.2))
        framed = np.full((size, size, 3), rng.uniform(0.85, 0.97), np.float32)
        inner = size - 2 * mat
        framed[mat : mat + inner, mat : mat + inner] = cv2.resize(image, (inner, inner), interpolation=cv2.INTER_AREA)
        image = framed
    return image


def blend_over(image: Image, color: Float32[np.ndarray, "3"], mask: np.ndarray) -> Image:
    """`image` with `color` where `mask` is set."""
    return np.where(mask[..., None], color, image)


def packaging(rng: Rng, size: int) -> Image:
    """A box or a book cover: bold fields and lines of fake print."""
    colors = _palette(rng, 5)
    image = np.full((size, size, 3), colors[0], np.float32)
    image = _scatter(rng, image, colors, int(rng.integers(1, 6)))
    for _ in range(int(rng.integers(2, 6))):
        top = int(rng.uniform(0.05, 0.9) * size)
        height = max(2, int(rng.uniform(0.01, 0.06) * size))
        ink = colors[rng.integers(len(colors))] * rng.uniform(0.3, 1.2)
        letters = (rng.random(size // max(2, height // 2) + 1) < 0.75).repeat(max(2, height // 2))[:size]
        left, right = int(0.1 * size), int(rng.uniform(0.4, 0.9) * size)
        row = image[top : top + height, left:right]
        row[:] = np.where(letters[None, left:right, None], ink, row)
    return image


def book_row(rng: Rng, size: int) -> Image:
    """Spines side by side, two shelves high, not tileable by content but by width."""
    image = np.full((size, size, 3), 0.06, np.float32)
    x = 0
    while x < size:
        width = int(size * rng.uniform(0.018, 0.06))
        height = int(size * rng.uniform(0.72, 0.97))
        color = hsv(rng.random(), rng.uniform(0.05, 0.75), rng.uniform(0.15, 0.9))
        spine = image[size - height :, x : x + width - max(1, size // 256)]
        across = np.linspace(-1, 1, max(spine.shape[1], 1), dtype=np.float32)
        spine[:] = color * (1 - 0.35 * across[None, :, None] ** 2)
        for _ in range(int(rng.integers(0, 4))):
            top = int(rng.uniform(0.05, 0.85) * height)
            band = max(1, int(rng.uniform(0.01, 0.08) * height))
            spine[top : top + band] = hsv(rng.random(), rng.uniform(0, 0.5), rng.uniform(0.3, 1))
        x += width
    return image


def rug(rng: Rng, size: int) -> Image:
    """A mirrored oriental pattern with borders, or plain shag."""
    pile = 1 + 0.1 * value_noise(rng, size, (size // 4, size // 4), 2)
    colors = _palette(rng, 6)
    if rng.random() < 0.3:
        return colors[0] * pile[..., None]
    half = size // 2
    field = value_noise(rng, half, (5, 5), 3)
    field = np.concatenate([field, field[:, ::-1]], 1)
    field = np.concatenate([field, field[::-1]], 0)
    levels = np.clip(((field + 1.5) * 1.4).astype(np.int32), 0, 4)
    image = colors[levels]
    axis = np.minimum(np.arange(size), size - 1 - np.arange(size))
    rim = np.minimum(axis[:, None], axis[None, :]) / size
    bands = np.sort(rng.uniform(0.01, 0.16, 4))
    for i, (low, high) in enumerate(itertools.pairwise(bands)):
        image = blend_over(image, colors[5 - i % 3], (rim >= low) & (rim < high))
    return image.astype(np.float32) * pile[..., None]


def blinds(rng: Rng, size: int) -> Image:
    """Horizontal slats."""
    rows = int(rng.choice([12, 16, 24]))
    layout = cells(size, 1, rows, np.zeros(rows, np.float32))
    color = hsv(0.11, rng.uniform(0, 0.2), rng.uniform(0.6, 0.95))
    return darken_edges(color * (0.75 + 0.25 * layout.v)[..., None], layout.edge, 2 * size / 512, 0.5)
