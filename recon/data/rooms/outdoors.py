"""Procedural outdoor pictures: panoramas behind windows, grass, gravel, roofs, leaves."""

import numpy as np
from jaxtyping import Float32

from recon.data.rooms.noise import blend, cells, darken_edges, hsv, value_noise

Image = Float32[np.ndarray, "size size 3"]
Rng = np.random.Generator

# Rows of a panorama run from this elevation (top) down to the lower one, in degrees.
PANORAMA_TOP, PANORAMA_BOTTOM = 70.0, -20.0


def _skyline(rng: Rng, size: int, cells_x: int, octaves: int) -> Float32[np.ndarray, " size"]:
    return value_noise(rng, size, (cells_x, 1), octaves, 0.6)[0]


def leaf_color(rng: Rng) -> Float32[np.ndarray, "3"]:
    """Green to yellow-green, sometimes autumn."""
    if rng.random() < 0.1:
        return hsv(rng.uniform(0.03, 0.12), rng.uniform(0.5, 0.8), rng.uniform(0.4, 0.7))
    return hsv(rng.uniform(0.2, 0.33), rng.uniform(0.2, 0.5), rng.uniform(0.25, 0.55))


def _sky(rng: Rng, size: int, elevation: Float32[np.ndarray, "size 1"]) -> Image:
    zenith = hsv(rng.uniform(0.56, 0.62), rng.uniform(0.05, 0.55), rng.uniform(0.6, 0.95))
    horizon = hsv(rng.uniform(0.5, 0.62), rng.uniform(0.0, 0.15), rng.uniform(0.85, 1.0))
    height = np.broadcast_to(np.clip(elevation / 50, 0, 1) ** 0.7, (size, size))
    clouds = np.clip(value_noise(rng, size, (3, 4), 6, 0.6) - rng.uniform(-0.5, 1.5), 0, 1)
    return blend(horizon, zenith, height) * (1 - clouds[..., None]) + clouds[..., None] * rng.uniform(0.85, 1)


def _layers(rng: Rng, image: Image, elevation: Float32[np.ndarray, "size 1"]) -> Image:
    """Hills, buildings and trees from far to near, then the ground."""
    size = len(image)
    haze = image[-1].mean(0) * 0.9
    num = int(rng.integers(1, 4))
    for i in range(num):
        distance = 1 - i / max(num, 1)
        top = rng.uniform(1, 9) * (1.3 - distance) + rng.uniform(0.5, 3) * _skyline(rng, size, 3, 5)
        color = blend(leaf_color(rng), haze, np.full((size, size), 0.7 * distance, np.float32))
        texture = 1 + 0.25 * (1 - distance) * value_noise(rng, size, (24, 24), 4, 0.8)
        image = np.where((elevation < top)[..., None], color * texture[..., None], image)
    if rng.random() < 0.45:
        image = _buildings(rng, image, elevation)
    if rng.random() < 0.75:
        image = _trees(rng, image, elevation)
    ground = leaf_color(rng) if rng.random() < 0.65 else hsv(0.1, 0.1, rng.uniform(0.4, 0.7))
    soil = ground * (1 + 0.12 * value_noise(rng, size, (12, 60), 4, 0.7))[..., None]
    return np.where((elevation < rng.uniform(-3, 0))[..., None], soil, image)


def _buildings(rng: Rng, image: Image, elevation: Float32[np.ndarray, "size 1"]) -> Image:
    size = len(image)
    x = int(rng.integers(0, size // 6))
    while x < size:
        width = int(rng.uniform(0.04, 0.16) * size)
        top = rng.uniform(4, 18)
        wall = hsv(rng.uniform(0.03, 0.14), rng.uniform(0, 0.4), rng.uniform(0.5, 0.95))
        inside = (elevation < top) & ((np.arange(size) >= x) & (np.arange(size) < x + width))[None, :]
        across = (np.arange(size) - x) % max(6, width // 5) > max(6, width // 5) * 0.55
        floors = (elevation % 3.2) > 1.7
        window = inside & across[None, :] & floors
        image = np.where(inside[..., None], wall, image)
        image = np.where(window[..., None], wall * 0.35, image)
        x += int(width * rng.uniform(1.1, 3))
    return image


def _trees(rng: Rng, image: Image, elevation: Float32[np.ndarray, "size 1"]) -> Image:
    size = len(image)
    crown = rng.uniform(4, 22) + rng.uniform(3, 10) * _skyline(rng, size, int(rng.integers(4, 10)), 5)
    leaves = value_noise(rng, size, (24, 24), 5, 0.75)
    inside = elevation + 2.5 * leaves < np.maximum(crown, 0)
    shade = 0.85 + 0.3 * leaves + 0.15 * value_noise(rng, size, (8, 8), 3)
    return np.where(inside[..., None], leaf_color(rng) * np.clip(shade, 0.2, 1.8)[..., None], image)


def panorama(rng: Rng, size: int) -> Image:
    """Half a turn of a distant view; rows are elevations from PANORAMA_TOP to PANORAMA_BOTTOM."""
    rows = np.linspace(PANORAMA_TOP, PANORAMA_BOTTOM, size, dtype=np.float32)[:, None]
    return _layers(rng, _sky(rng, size, rows), rows)


def landscape(rng: Rng, size: int) -> Image:
    """A square picture of a view with a low horizon."""
    rows = np.linspace(rng.uniform(15, 35), rng.uniform(-20, -8), size, dtype=np.float32)[:, None]
    return _layers(rng, _sky(rng, size, rows), rows)


def grass(rng: Rng, size: int) -> Image:
    """Lawn."""
    blades = value_noise(rng, size, (size // 6, size // 6), 3, 0.8)
    clumps = value_noise(rng, size, (5, 5), 5, 0.65)
    dry = np.clip(0.3 * value_noise(rng, size, (4, 4), 3), 0, 1)
    base = hsv(rng.uniform(0.2, 0.29), rng.uniform(0.35, 0.65), rng.uniform(0.35, 0.55))
    straw = hsv(0.14, 0.4, 0.6)
    return blend(base, straw, dry) * (1 + 0.22 * blades + 0.1 * clumps)[..., None]


def gravel(rng: Rng, size: int) -> Image:
    """Gravel, asphalt or concrete."""
    stones = value_noise(rng, size, (size // 10, size // 10), 3, 0.8)
    color = hsv(rng.uniform(0.06, 0.13), rng.uniform(0, 0.2), rng.uniform(0.3, 0.75))
    return color * (1 + rng.uniform(0.05, 0.25) * stones + 0.06 * value_noise(rng, size, (4, 4), 4))[..., None]


def paving(rng: Rng, size: int) -> Image:
    """Slabs or setts."""
    rows = int(rng.choice([3, 4, 6, 10]))
    shifts = (np.arange(rows) % 2 * rng.choice([0, 0.5])).astype(np.float32)
    layout = cells(size, rows, rows, shifts)
    color = hsv(rng.uniform(0.03, 0.13), rng.uniform(0.02, 0.3), rng.uniform(0.35, 0.75))
    tone = layout.each(rng.standard_normal(layout.count).astype(np.float32))
    rough = value_noise(rng, size, (40, 40), 3, 0.8)
    image = color * (1 + 0.09 * tone + 0.07 * rough)[..., None]
    return darken_edges(image, layout.edge + rough, 3.0 * size / 512, 0.5)


def roof(rng: Rng, size: int) -> Image:
    """Overlapping roof tiles or slates."""
    rows = int(rng.choice([8, 12, 16]))
    layout = cells(size, rows, rows, (np.arange(rows) % 2 * 0.5).astype(np.float32))
    hue, saturation = (rng.uniform(0.0, 0.07), rng.uniform(0.3, 0.65)) if rng.random() < 0.6 else (0.6, 0.06)
    tone = layout.each(rng.standard_normal(layout.count).astype(np.float32))
    bulge = 0.75 + 0.35 * np.sin(np.pi * layout.u) * (0.5 + 0.5 * layout.v)
    color = hsv(hue, saturation, rng.uniform(0.3, 0.65))
    return darken_edges(color * (bulge + 0.08 * tone)[..., None], layout.v * size / rows, 4 * size / 512, 0.6)


def siding(rng: Rng, size: int) -> Image:
    """Horizontal cladding boards."""
    rows = int(rng.choice([8, 10, 14]))
    layout = cells(size, 1, rows, np.zeros(rows, np.float32))
    color = hsv(rng.random(), rng.uniform(0, 0.35), rng.uniform(0.45, 0.95))
    grain = value_noise(rng, size, (4, 128), 3, 0.7)
    return darken_edges(color * (1 + 0.04 * grain)[..., None], layout.v * size / rows, 5 * size / 512, 0.45)


def foliage(rng: Rng, size: int) -> Image:
    """Leaf surfaces: mottled greens."""
    mottled = value_noise(rng, size, (12, 12), 5, 0.75)
    veins = value_noise(rng, size, (32, 32), 3, 0.8)
    return leaf_color(rng) * np.clip(1 + 0.3 * mottled + 0.12 * veins, 0.2, 2)[..., None]
