"""Procedural textures with strong contrast and fine detail: prints, quilts, knotty timber, rubble, labels, leaves."""

import cv2
import numpy as np
from jaxtyping import Float32, Int32
from scipy.spatial import KDTree

from recon.data.rooms.noise import blend, cells, darken_edges, hsv, room_hue, value_noise
from recon.data.rooms.outdoors import leaf_color
from recon.data.rooms.textures import stone_color, wall_color, wood_color

Image = Float32[np.ndarray, "size size 3"]
Rng = np.random.Generator
WORDS = ("Olive", "Nr. 7", "Fresh", "Maison", "Extra", "1924", "Salt", "Atlas", "Vol. 2", "Tea", "SALE", "home", "Milk")


def voronoi(
    rng: Rng, size: int, count: int
) -> tuple[Int32[np.ndarray, "size size"], Float32[np.ndarray, "size size"], Float32[np.ndarray, "size size"]]:
    """Cells of `count` random seeds that repeat at the borders: index, distance to the seed and to the border."""
    seeds = rng.random((count, 2)) * size
    shifts = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]) * size
    tree = KDTree((seeds[None] + shifts[:, None]).reshape(-1, 2))
    axis = np.arange(size) + 0.5
    found = tree.query(np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2), 2)
    distance, index = np.asarray(found[0]), np.asarray(found[1])
    near, edge = distance[:, 0], (distance[:, 1] - distance[:, 0]) / 2
    shape = (size, size)
    return (
        (index[:, 0] % count).astype(np.int32).reshape(shape),
        near.astype(np.float32).reshape(shape),
        edge.astype(np.float32).reshape(shape),
    )


def _palette(rng: Rng, count: int, spread: float = 0.25) -> Float32[np.ndarray, "count 3"]:
    """Colours around a hue, of which most are reds and browns, with a few greys and whites."""
    hue = rng.uniform(-0.02, 0.14) if rng.random() < 0.55 else room_hue(rng)
    strength = rng.uniform(0.15, 0.8)
    return np.stack(
        [
            hsv(hue + spread * rng.uniform(-1, 1) ** 3, strength * rng.uniform(0, 1), rng.uniform(0.08, 0.95))
            for _ in range(count)
        ]
    )


def printed_fabric(rng: Rng, size: int) -> Image:
    """Flowers, tartans, zigzags or marbled prints in several colours on a weave."""
    colors, kind = _palette(rng, 5), rng.integers(4)
    axis = np.arange(size)
    if kind == 0:
        index, near, _ = voronoi(rng, size, int(rng.integers(30, 160)))
        petals = near < (0.35 + 0.25 * np.sin(5 * value_noise(rng, size, (8, 8), 2))) * size / np.sqrt(index.max() + 1)
        image = np.where(petals[..., None], colors[1 + index % 4], colors[0])
        image = np.where((near < 0.012 * size)[..., None], colors[(index + 1) % 5], image)
    elif kind == 1:
        bands = np.repeat(rng.integers(0, 5, 32), size // 32) if size >= 32 else rng.integers(0, 5, size)
        image = 0.5 * (colors[bands][None, :] + colors[bands][:, None])
    elif kind == 2:
        repeats = int(rng.choice([4, 8, 16]))
        zigzag = np.abs((axis * repeats / size) % 1 - 0.5)[None, :] + (axis * repeats / size)[:, None]
        image = colors[np.floor(zigzag * rng.choice([1, 2, 3])).astype(int) % 5]
    else:
        field = value_noise(rng, size, (5, 5), 4) + 0.5 * value_noise(rng, size, (20, 20), 2)
        image = colors[np.floor(2.2 * field).astype(int) % 5]
    weave = ((axis[:, None] // 2 + axis[None, :] // 2) % 2 - 0.5) * rng.uniform(0.04, 0.18)
    return (image * (1 + weave + 0.06 * value_noise(rng, size, (64, 64), 2))[..., None]).astype(np.float32)


def quilt(rng: Rng, size: int) -> Image:
    """Padded fields with seams and creases, lit from one side."""
    rows = int(rng.choice([3, 4, 6, 8]))
    base = printed_fabric(rng, size) if rng.random() < 0.4 else np.broadcast_to(_palette(rng, 1)[0], (size, size, 3))
    axis = (np.arange(size) + 0.5) / size
    x, y = np.meshgrid(axis, axis)
    if rng.random() < 0.5:
        x, y = x + y, x - y
    height = np.sqrt(np.abs(np.sin(np.pi * rows * x) * np.sin(np.pi * rows * y)))
    height = height + 0.35 * value_noise(rng, size, (6, 6), 5, 0.65) + 0.1 * value_noise(rng, size, (40, 40), 2)
    relief = (height - np.roll(height, 2, 0)) + 0.6 * (height - np.roll(height, 2, 1))
    shade = np.clip(0.9 + 2.2 * relief * 256 / size / 2 + 0.15 * height, 0.35, 1.4)
    return (base * shade[..., None]).astype(np.float32)


def knotty_wood(rng: Rng, size: int) -> Image:
    """Timber with strong grain that flows around knots, sometimes weathered."""
    axis = np.arange(size, dtype=np.float32) / size
    u, v = np.meshgrid(axis, axis)
    field = rng.integers(6, 16) * v + 0.45 * value_noise(rng, size, (2, 4), 4)
    dark = np.zeros((size, size), np.float32)
    for x, y, width in rng.uniform((0, 0, 0.012), (1, 1, 0.04), (int(rng.integers(2, 9)), 3)):
        dx, dy = (u - x + 0.5) % 1 - 0.5, (v - y + 0.5) % 1 - 0.5
        r = np.sqrt((dx / 2.5) ** 2 + dy**2) / width
        field += 1.3 * np.exp(-0.5 * (r / 1.6) ** 2)
        dark = np.maximum(dark, np.exp(-(r**2)))
    rings = np.abs(np.sin(np.pi * field)) ** 0.6
    fibres = value_noise(rng, size, (4, 128), 2, 0.8)
    shade = 1 + rng.uniform(0.12, 0.35) * (rings - 0.6) + rng.uniform(0.05, 0.14) * fibres
    image = wood_color(rng) * np.clip(shade, 0.25, 1.6)[..., None]
    if rng.random() < 0.1:
        chips = value_noise(rng, size, (3, 12), 5, 0.7) > rng.uniform(0.4, 1.3)
        image = np.where(chips[..., None], image, hsv(rng.uniform(0, 0.6), rng.uniform(0, 0.2), 0.8))
    return (image * (1 - 0.75 * dark)[..., None]).astype(np.float32)


def worn_boards(rng: Rng, size: int) -> Image:
    """Boards of knotty timber with dark gaps, for floors, decks and fences."""
    rows = int(rng.choice([4, 6, 8, 12]))
    layout = cells(size, int(rng.integers(1, 3)), rows, rng.random(rows).astype(np.float32))
    timber = knotty_wood(rng, size)
    down, along = (layout.each(rng.integers(0, size, layout.count)) for _ in range(2))
    image = timber[(np.arange(size)[:, None] + down) % size, (np.arange(size)[None, :] + along) % size]
    tone = layout.each(rng.standard_normal(layout.count).astype(np.float32))
    image = image * (1 + rng.uniform(0.05, 0.25) * tone)[..., None]
    return darken_edges(image, layout.edge, rng.uniform(1, 3) * size / 512, rng.uniform(0.5, 0.9)).astype(np.float32)


def rubble(rng: Rng, size: int) -> Image:
    """Stone walls, cobbles or pebbles with joints."""
    index, near, edge = voronoi(rng, size, int(rng.choice([40, 90, 250, 900])))
    count, step = int(index.max()) + 1, size / np.sqrt(int(index.max()) + 1)
    base = stone_color(rng)
    tone = rng.normal(1, rng.uniform(0.08, 0.3), (count, 1)) + 0.06 * rng.standard_normal((count, 3))
    rough = value_noise(rng, size, (32, 32), 4, 0.75)
    dome = 1.12 - 0.35 * np.clip(near / step, 0, 1)
    image = base * tone.astype(np.float32)[index] * (dome * (1 + 0.1 * rough))[..., None]
    joint = hsv(0.1, 0.1, rng.uniform(0.15, 0.8))
    weight = np.clip(rng.uniform(0.03, 0.1) * step - edge + 0.5 + 0.3 * rough, 0, 1)[..., None]
    return np.clip(image * (1 - weight) + joint * weight, 0, 1).astype(np.float32)


def terrazzo(rng: Rng, size: int) -> Image:
    """Chips of stone in a ground."""
    index, _, edge = voronoi(rng, size, int(rng.choice([300, 1200])))
    ground, chips = stone_color(rng), np.stack([stone_color(rng) for _ in range(5)])
    chosen = rng.integers(0, 5, int(index.max()) + 1)[index]
    width = rng.uniform(1, 4) * size / 512 * (0.5 + rng.random(int(index.max()) + 1))[index]
    image = np.where((edge > width)[..., None], chips[chosen], ground)
    return (image * (1 + 0.04 * value_noise(rng, size, (32, 32), 2))[..., None]).astype(np.float32)


def strip_mosaic(rng: Rng, size: int) -> Image:
    """Glass and stone strips of very different tones, as behind worktops."""
    rows = int(rng.choice([16, 24, 32]))
    layout = cells(size, int(rng.choice([3, 5, 8])), rows, rng.random(rows).astype(np.float32))
    colors = np.concatenate([_palette(rng, 3, 0.08), [stone_color(rng), stone_color(rng)]])
    image = colors[layout.each(rng.integers(0, 5, layout.count))]
    image = image * (1 + 0.15 * layout.each(rng.standard_normal(layout.count).astype(np.float32)))[..., None]
    shine = 1 + 0.25 * (0.5 - layout.v) * rng.choice([0, 1])
    image = darken_edges(image * shine[..., None], layout.edge, 1.2 * size / 512, float(rng.choice([-0.4, 0.6])))
    return image.astype(np.float32)


def damask(rng: Rng, size: int) -> Image:
    """Wallpaper with a mirrored ornament of two or three tones."""
    base = wall_color(rng)
    repeats = int(rng.choice([2, 4]))
    tile = size // repeats
    motif = value_noise(rng, tile, (4, 3), 4, 0.7)
    motif = np.tile(motif + motif[:, ::-1], (repeats, repeats))
    motif = np.pad(motif, ((0, size - len(motif)), (0, size - len(motif))), mode="wrap")
    other = base * rng.uniform(0.5, 0.85) if rng.random() < 0.7 else wall_color(rng)
    lines = np.abs(motif - 0.4) < rng.uniform(0.08, 0.25)
    image = np.where((motif > 0.9)[..., None], other, np.where(lines[..., None], 0.7 * other + 0.3 * base, base))
    return (image * (1 + 0.02 * value_noise(rng, size, (64, 64), 2))[..., None]).astype(np.float32)


def label(rng: Rng, size: int) -> Image:
    """Printed matter: headlines, columns of fine print, fields, a picture; for jars, books, notes and posters."""
    colors = _palette(rng, 4, 0.5)
    ground = colors[0] if rng.random() < 0.6 else np.full(3, rng.uniform(0.8, 0.97), np.float32)
    canvas = np.ascontiguousarray(np.broadcast_to(ground, (size, size, 3)).astype(np.float32))
    ink = colors[1] if np.abs(colors[1] - ground).mean() > 0.25 else np.float32(1) - np.round(ground)
    if rng.random() < 0.6:
        top, high = (int(v * size) for v in (rng.uniform(0.05, 0.5), rng.uniform(0.15, 0.45)))
        picture = colors[np.floor(2 * value_noise(rng, size, (3, 3), 5)).astype(int) % 4]
        canvas[top : top + high, size // 10 : -size // 10] = picture[top : top + high, size // 10 : -size // 10]
    for _ in range(int(rng.integers(1, 4))):
        place = (int(rng.uniform(0.02, 0.4) * size), int(rng.uniform(0.1, 0.95) * size))
        scale = size / 512 * rng.uniform(1, 4)
        font, thick = int(rng.integers(0, 5)), max(1, int(2.5 * scale))
        mask = np.zeros((size, size), np.uint8)
        cv2.putText(mask, str(rng.choice(WORDS)), place, font, float(scale), 255, thick, cv2.LINE_AA)
        canvas = canvas + (ink - canvas) * (mask[..., None] / np.float32(255))
    pitch, left = max(3, size // int(rng.choice([24, 36, 48]))), int(rng.uniform(0.05, 0.5) * size)
    for y in range(int(rng.uniform(0.4, 0.8) * size), size - pitch, pitch):
        letters = rng.random(size) < 0.75
        letters[int(rng.uniform(0.7, 0.97) * size) :] = False
        letters[:left] = False
        canvas[y : y + max(1, pitch // 2)] = np.where(letters[None, :, None], ink, canvas[y : y + max(1, pitch // 2)])
    return np.clip(canvas, 0, 1).astype(np.float32)


def leaf_litter(rng: Rng, size: int) -> Image:
    """Overlapping leaves of changing brightness with dark gaps: hedges, ivy, shrubs, autumn ground."""
    index, near, edge = voronoi(rng, size, int(rng.choice([150, 350, 800])))
    count = int(index.max()) + 1
    step = size / np.sqrt(count)
    tone = rng.uniform(0.35, 1.5, (count, 1)).astype(np.float32)
    hues = np.stack([leaf_color(rng) for _ in range(3)])[rng.integers(0, 3, count)] * tone
    vein = 1 + 0.2 * np.cos(6 * near / step)
    gap = np.clip(edge / (0.12 * step), 0.25, 1)
    return (hues[index] * (vein * gap)[..., None]).astype(np.float32)


def asphalt(rng: Rng, size: int) -> Image:
    """Road surface with grains, patches, cracks and oil."""
    grains = value_noise(rng, size, (size // 6, size // 6), 2)
    patches = np.floor(1.5 * value_noise(rng, size, (3, 3), 2))
    _, _, edge = voronoi(rng, size, 12)
    crack = np.clip(1.5 - (edge + 3 * value_noise(rng, size, (16, 16), 3)), 0, 1) * (rng.random() < 0.7)
    tone = 1 + rng.uniform(0.08, 0.25) * grains + 0.08 * patches - 0.5 * crack
    color = hsv(rng.uniform(0.5, 0.65), rng.uniform(0, 0.08), rng.uniform(0.3, 0.6))
    return (color * np.clip(tone, 0.2, 2)[..., None]).astype(np.float32)


def meadow(rng: Rng, size: int) -> Image:
    """Grass with blades, bare spots, clover and sometimes flowers or fallen leaves."""
    blades = value_noise(rng, size, (size // 4, size // 8), 2, 0.8)
    clumps = value_noise(rng, size, (10, 10), 4, 0.7)
    base = hsv(rng.uniform(0.19, 0.3), rng.uniform(0.3, 0.65), rng.uniform(0.3, 0.6))
    soil = hsv(0.09, 0.35, rng.uniform(0.3, 0.5))
    image = blend(base, soil, 0.5 * (clumps - rng.uniform(0.6, 1.6)))
    image = image * np.clip(1 + 0.3 * blades + 0.2 * clumps, 0.2, 2)[..., None]
    index, near, _ = voronoi(rng, size, int(rng.choice([60, 250])))
    spots = near < rng.uniform(0, 0.008) * size * (0.5 + (index % 5) / 4)
    return np.where(spots[..., None], _palette(rng, 4)[index % 4], image).astype(np.float32)


def kilim(rng: Rng, size: int) -> Image:
    """A rug of many small figures inside several borders, with fringes of pile."""
    colors = _palette(rng, 7, 0.4)
    half, fine = size // 2, int(rng.choice([16, 32, 48]))
    grid: Int32[np.ndarray, "rows columns"] = (
        rng.integers(0, 7, (fine, fine)) * (rng.random((fine, fine)) < 0.6)
    ).astype(np.int32)
    grid = np.maximum(grid, grid[::-1, ::-1].T)
    axis = np.arange(half) * fine // half
    field = grid[axis[:, None], axis[None, :]]
    field = np.concatenate([field, field[:, ::-1]], 1)
    field = np.concatenate([field, field[::-1]], 0)
    image = colors[field]
    axis = np.minimum(np.arange(size), size - 1 - np.arange(size))
    rim = np.minimum(axis[:, None], axis[None, :]) / size
    for i, start in enumerate(np.sort(rng.uniform(0, 0.2, 4))):
        band = (rim >= start) & (rim < start + 0.025)
        dashes = ((np.arange(size)[:, None] + np.arange(size)[None, :]) // max(2, size // 64)) % 2 == 0
        image = np.where(band[..., None], np.where(dashes[..., None], colors[i], colors[6 - i]), image)
    return (image * (1 + 0.12 * value_noise(rng, size, (size // 4, size // 4), 2))[..., None]).astype(np.float32)
