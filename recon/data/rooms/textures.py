"""Procedural textures of floors, walls, worktops and fabrics.

Every function takes a generator and an edge length in texels and returns a tileable sRGB image, 0..1. The colours
follow what flats are made of: browns, greys and whites, few strong hues.
"""

import numpy as np
from jaxtyping import Float32

from recon.data.rooms.noise import Cells, blend, cells, darken_edges, hsv, room_hue, value_noise

Image = Float32[np.ndarray, "size size 3"]
Rng = np.random.Generator


def wood_color(rng: Rng) -> Float32[np.ndarray, "3"]:
    """A plausible timber colour, from ash to wenge, sometimes grey or painted white."""
    kind = rng.random()
    if kind < 0.12:
        return hsv(0.09, 0.05 + 0.08 * rng.random(), 0.7 + 0.25 * rng.random())
    if kind < 0.22:
        return hsv(0.08, 0.08 + 0.1 * rng.random(), 0.35 + 0.3 * rng.random())
    return hsv(0.055 + 0.04 * rng.random(), 0.35 + 0.4 * rng.random(), 0.25 + 0.55 * rng.random())


def _grain(rng: Rng, size: int) -> Float32[np.ndarray, "size size"]:
    """Fibres along u, zero mean, about unit deviation."""
    warp = value_noise(rng, size, (2, 4), 3)
    rows = (np.arange(size, dtype=np.float32) / size)[:, None]
    rings = np.sin(2 * np.pi * (rng.integers(4, 14) * rows + rng.uniform(0.15, 0.7) * warp))
    fibres = value_noise(rng, size, (3, 48), 3, 0.7)
    pores = np.minimum(value_noise(rng, size, (8, 128), 2, 0.8), 0)
    return (rng.uniform(0.1, 0.7) * rings + 0.6 * fibres + 0.4 * pores).astype(np.float32)


def wood(rng: Rng, size: int) -> Image:
    """Solid timber or veneer, grain along u."""
    color = wood_color(rng)
    return color * (1 + rng.uniform(0.05, 0.16) * _grain(rng, size))[..., None]


def _boards(rng: Rng, size: int, layout: Cells, contrast: float) -> Image:
    color = wood_color(rng)
    grain = _grain(rng, size)
    shift = layout.each(rng.integers(0, size, layout.count))
    rows = (np.arange(size)[:, None] + shift) % size
    columns = (np.arange(size)[None, :] + layout.each(rng.integers(0, size, layout.count))) % size
    tone = layout.each(rng.standard_normal(layout.count).astype(np.float32))
    warm = layout.each(rng.standard_normal(layout.count).astype(np.float32))
    image = color * (1 + rng.uniform(0.05, 0.14) * grain[rows, columns] + contrast * tone)[..., None]
    image = image * (1 + 0.25 * contrast * warm[..., None] * np.array([1, 0, -1], np.float32))
    return darken_edges(image, layout.edge, rng.uniform(0.6, 1.6) * size / 512, rng.uniform(0.2, 0.7))


def floor_boards(rng: Rng, size: int) -> Image:
    """Long staggered boards."""
    rows = int(rng.integers(6, 15))
    layout = cells(size, int(rng.integers(1, 4)), rows, rng.random(rows).astype(np.float32))
    return _boards(rng, size, layout, rng.uniform(0.02, 0.2))


def parquet(rng: Rng, size: int) -> Image:
    """Square fields of short strips with alternating direction."""
    fields, strips = int(rng.choice([2, 4, 6])), int(rng.integers(3, 7))
    along = cells(size, fields, fields * strips, np.zeros(fields * strips, np.float32))
    image = _boards(rng, size, along, rng.uniform(0.05, 0.16))
    axis = np.arange(size) * fields // size
    odd = (axis[:, None] + axis[None, :]) % 2 == 1
    return np.where(odd[..., None], image.transpose(1, 0, 2), image)


def stone_color(rng: Rng) -> Float32[np.ndarray, "3"]:
    """Beige, grey, white, terracotta or slate."""
    if rng.random() < 0.15:
        return hsv(0.04, rng.uniform(0.4, 0.65), rng.uniform(0.45, 0.75))
    return hsv(rng.uniform(0.05, 0.14), rng.uniform(0.0, 0.25), rng.uniform(0.25, 0.95))


def marble(rng: Rng, size: int) -> Image:
    """Veined stone."""
    warp = value_noise(rng, size, (3, 3), 5, 0.6)
    ridge = 1 - np.abs(value_noise(rng, size, (2, 2), 6, 0.6) + 0.3 * warp)
    veins = np.clip(ridge, 0, 1) ** int(rng.integers(4, 16))
    base, vein = stone_color(rng), stone_color(rng) * 0.7
    image = blend(base, vein, rng.uniform(0.3, 0.9) * veins)
    return image * (1 + 0.03 * warp)[..., None]


def granite(rng: Rng, size: int) -> Image:
    """Speckled stone."""
    grains = value_noise(rng, size, (size // 8, size // 8), 3, 0.9)
    clouds = value_noise(rng, size, (5, 5), 4)
    base = stone_color(rng) * rng.uniform(0.35, 1)
    image = blend(base * 0.6, base * 1.15, 0.5 + 0.3 * grains + 0.12 * clouds)
    flecks = value_noise(rng, size, (size // 6, size // 6), 2) > rng.uniform(1.6, 2.4)
    return np.where(flecks[..., None], stone_color(rng), image)


def tiles(rng: Rng, size: int) -> Image:
    """Floor or wall tiles with joints, each with its own piece of stone or glaze."""
    brick_bond = rng.random() < 0.35
    rows = int(rng.choice([2, 4, 6, 8]))
    columns = max(1, rows // 2) if brick_bond else rows
    shifts = (np.arange(rows) % 2 * 0.5 * brick_bond).astype(np.float32)
    layout = cells(size, columns, rows, shifts)
    stone = (marble if rng.random() < 0.5 else granite)(rng, size) if rng.random() < 0.7 else np.empty(0)
    if stone.size:
        roll = layout.each(rng.integers(0, size, layout.count))
        image = stone[(np.arange(size)[:, None] + roll) % size, (np.arange(size)[None, :] + 3 * roll) % size]
    else:
        image = np.broadcast_to(stone_color(rng), (size, size, 3))
    tone = layout.each(rng.standard_normal(layout.count).astype(np.float32))
    image = image * (1 + rng.uniform(0, 0.08) * tone)[..., None]
    if rng.random() < 0.25:
        checker = layout.each((np.arange(layout.count) // columns + np.arange(layout.count)) % 2)
        image = np.where(checker[..., None] == 1, image, image * rng.uniform(0.2, 0.9))
    joint = hsv(0.1, 0.05, rng.uniform(0.3, 0.9))
    weight = np.clip(rng.uniform(1.0, 2.6) * size / 512 - layout.edge + 0.5, 0, 1)[..., None]
    return image * (1 - weight) + joint * weight


def mosaic(rng: Rng, size: int) -> Image:
    """Small tiles in several colours, as behind worktops."""
    rows = int(rng.choice([12, 16, 24]))
    columns = int(rng.choice([4, 8, rows]))
    layout = cells(size, columns, rows, rng.random(rows).astype(np.float32) if columns < rows else np.zeros(rows, "f"))
    palette = np.stack([stone_color(rng) for _ in range(int(rng.integers(1, 5)))])
    image = palette[layout.each(rng.integers(0, len(palette), layout.count))]
    image = image * (1 + 0.08 * layout.each(rng.standard_normal(layout.count).astype(np.float32)))[..., None]
    return darken_edges(image, layout.edge, 1.2 * size / 512, -0.3 if rng.random() < 0.4 else 0.5)


def carpet(rng: Rng, size: int) -> Image:
    """Pile with worn clouds."""
    hue = rng.uniform(0.05, 0.12) if rng.random() < 0.75 else room_hue(rng)
    color = hsv(hue, rng.uniform(0.05, 0.35), rng.uniform(0.3, 0.8))
    pile = value_noise(rng, size, (size // 4, size // 4), 2, 0.8)
    clouds = value_noise(rng, size, (4, 4), 4)
    return color * (1 + rng.uniform(0.06, 0.16) * pile + 0.03 * clouds)[..., None]


def wall_color(rng: Rng) -> Float32[np.ndarray, "3"]:
    """Mostly white and cream, sometimes grey, green, blue or a strong accent."""
    kind = rng.random()
    if kind < 0.6:
        return hsv(rng.uniform(0.08, 0.16), rng.uniform(0.0, 0.12), rng.uniform(0.85, 0.97))
    if kind < 0.86:
        return hsv(rng.uniform(0.06, 0.17), rng.uniform(0.05, 0.25), rng.uniform(0.65, 0.92))
    return hsv(room_hue(rng), rng.uniform(0.1, 0.4), rng.uniform(0.4, 0.85))


def plaster(rng: Rng, size: int) -> Image:
    """Painted wall with roller marks and stains that the eye hardly sees."""
    rough = value_noise(rng, size, (48, 48), 3, 0.8)
    stains = value_noise(rng, size, (3, 3), 5, 0.6)
    return wall_color(rng) * (1 + rng.uniform(0.005, 0.025) * rough + rng.uniform(0.002, 0.012) * stains)[..., None]


def white_plaster(rng: Rng, size: int) -> Image:
    """Rough white coat of ceilings."""
    rough = value_noise(rng, size, (40, 40), 4, 0.8)
    white = hsv(0.12, rng.uniform(0, 0.06), rng.uniform(0.85, 0.97))
    return white * (1 + rng.uniform(0.01, 0.05) * rough)[..., None]


def wallpaper(rng: Rng, size: int) -> Image:
    """Stripes, ornaments or a woven ground."""
    base = wall_color(rng)
    other = base * rng.uniform(0.7, 0.95) if rng.random() < 0.7 else wall_color(rng)
    axis = np.arange(size, dtype=np.float32) / size
    x, y = np.meshgrid(axis, axis)
    repeats = int(rng.choice([4, 6, 8, 12]))
    kind = rng.integers(0, 4)
    if kind == 0:
        weight = (np.sin(2 * np.pi * repeats * x) > rng.uniform(-0.6, 0.6)).astype(np.float32)
    elif kind == 1:
        weight = np.cos(2 * np.pi * repeats * x) * np.cos(2 * np.pi * repeats * y)
        weight = (np.abs(weight) > rng.uniform(0.3, 0.7)).astype(np.float32)
    elif kind == 2:
        motif = value_noise(rng, size, (4, 4), 3)
        step = size // 4
        motif = np.tile(motif[:step, :step], (4, 4))
        weight = (np.maximum(motif, motif[:, ::-1]) > 0.5).astype(np.float32)
    else:
        weight = 0.5 + 0.3 * value_noise(rng, size, (4, 160), 2) + 0.2 * value_noise(rng, size, (160, 4), 2)
    return blend(base, other, weight) * (1 + 0.02 * value_noise(rng, size, (64, 64), 2))[..., None]


def bricks(rng: Rng, size: int) -> Image:
    """Masonry: red or yellow bricks, painted bricks, stone blocks."""
    rows = int(rng.choice([6, 10, 14]))
    shifts = (np.arange(rows) % 2 * 0.5).astype(np.float32) + rng.uniform(0, 0.1, rows).astype(np.float32)
    layout = cells(size, rows // 2 - 1, rows, shifts)
    painted = rng.random() < 0.3
    color = wall_color(rng) if painted else hsv(rng.uniform(0.0, 0.1), rng.uniform(0.15, 0.65), rng.uniform(0.4, 0.8))
    tone = layout.each(rng.standard_normal(layout.count).astype(np.float32))
    rough = value_noise(rng, size, (32, 32), 4, 0.7)
    image = color * (1 + (0.03 if painted else 0.13) * tone + 0.06 * rough)[..., None]
    joint = color * 0.8 if painted else hsv(0.1, 0.1, rng.uniform(0.4, 0.85))
    wobble = layout.edge + 0.8 * rough * size / 512
    weight = np.clip(rng.uniform(2, 4.5) * size / 512 - wobble + 0.5, 0, 1)[..., None]
    return image * (1 - weight) + joint * weight


def fabric(rng: Rng, size: int) -> Image:
    """Upholstery: plain weave, stripes, checks or printed blobs."""
    hue = room_hue(rng)
    base = hsv(hue, rng.uniform(0.0, 0.45), rng.uniform(0.15, 0.9))
    axis = np.arange(size)
    weave = ((axis[:, None] // 2 + axis[None, :] // 2) % 2 - 0.5) * rng.uniform(0.05, 0.2)
    image = base * (1 + weave + 0.07 * value_noise(rng, size, (64, 64), 3, 0.8))[..., None].astype(np.float32)
    other = hsv(hue + rng.choice([0, 0.5, 0.1]), rng.uniform(0, 0.5), rng.uniform(0.2, 0.95))
    kind = rng.random()
    repeats = int(rng.choice([4, 8, 16]))
    stripe = (np.sin(2 * np.pi * repeats * axis / size) > rng.uniform(-0.3, 0.8)).astype(np.float32)
    if kind < 0.2:
        image = blend_images(image, other, np.broadcast_to(0.7 * stripe[:, None], (size, size)))
    elif kind < 0.35:
        image = blend_images(image, other, 0.4 * (stripe[:, None] + stripe[None, :]))
    elif kind < 0.55:
        blobs = value_noise(rng, size, (6, 6), 2) > rng.uniform(0.3, 1)
        image = blend_images(image, other, 0.8 * blobs.astype(np.float32))
    return image


def blend_images(image: Image, color: Float32[np.ndarray, "3"], weight: Float32[np.ndarray, "size size"]) -> Image:
    """`image` with `color` laid over it."""
    return image * (1 - weight[..., None]) + color * weight[..., None]
