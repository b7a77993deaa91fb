"""Materials made of library textures with random tints."""

import numpy as np

from recon.data.rooms.library import TextureLibrary
from recon.data.rooms.noise import hsv, room_hue
from recon.data.rooms.world import Color, Material, WorldBuilder


def linear(color: np.ndarray) -> Color:
    """Linear light of an sRGB colour, rounded so that equal colours stay equal."""
    r, g, b = (round(float(c) ** 2.2, 4) for c in color)
    return r, g, b


class Paint:
    """Draws materials for one world.

    Args:
        builder: The world under construction.
        library: Textures.
        rng: Source of randomness.
    """

    def __init__(self, builder: WorldBuilder, library: TextureLibrary, rng: np.random.Generator):
        self.builder = builder
        self.library = library
        self.rng = rng

    def textured(self, *kinds: str, specular: float = 0.0, mirror: float = 0.0, scale: float = 1.0) -> Material:
        """A random texture of one of `kinds`, at its natural size times `scale`, slightly tinted."""
        index = self.library.pick(self.rng, *kinds)
        texture = self.library[index]
        slot = self.builder.texture("library", index, texture)
        tint = np.clip(self.rng.normal(1, 0.06, 3) * self.rng.normal(1, 0.1), 0.6, 1.3)
        repeat = 1 / (texture.metres * scale)
        r, g, b = (round(float(t), 3) for t in tint)
        return Material((r, g, b), slot, (repeat, repeat), specular, mirror)

    def picture(self, width: float, height: float, *kinds: str, specular: float = 0.0, mirror: float = 0.0) -> Material:
        """A texture that fills `width` x `height` metres once."""
        index = self.library.pick(self.rng, *kinds)
        slot = self.builder.texture("library", index, self.library[index])
        return Material((0.95, 0.95, 0.95), slot, (1 / width, 1 / height), specular, mirror)

    def plain(self, color: np.ndarray, specular: float = 0.0, mirror: float = 0.0) -> Material:
        """One sRGB colour."""
        return Material(linear(color), specular=specular, mirror=mirror)

    def glowing(self, color: Color) -> Material:
        """A lamp's surface of the given radiance."""
        return Material((0.8, 0.8, 0.8), emission=color)

    def trim(self) -> Material:
        """Painted or wooden frames and boards."""
        if self.rng.random() < 0.7:
            return self.plain(hsv(0.12, self.rng.uniform(0, 0.08), self.rng.uniform(0.82, 0.98)), 0.03, 0.03)
        return self.wood()

    def wood(self) -> Material:
        """Varnished or raw timber."""
        gloss = float(self.rng.choice([0.0, 0.03, 0.045]))
        return self.textured("wood", specular=0.05 * self.rng.random(), mirror=gloss)

    def front(self) -> Material:
        """Cupboard fronts: timber, white or a colour."""
        kind = self.rng.random()
        if kind < 0.45:
            return self.wood()
        if kind < 0.75:
            return self.plain(hsv(0.12, self.rng.uniform(0, 0.1), self.rng.uniform(0.75, 0.96)), 0.04, 0.035)
        return self.plain(hsv(room_hue(self.rng), self.rng.uniform(0.05, 0.4), self.rng.uniform(0.2, 0.7)), 0.04, 0.03)

    def metal(self) -> Material:
        """Steel, chrome or brass, without much of a mirror image."""
        warm = 0.3 if self.rng.random() < 0.25 else 0.03
        return self.plain(hsv(0.12, warm, self.rng.uniform(0.3, 0.8)), 0.25, 0.2)

    def vivid(self) -> Material:
        """Any colour of small things."""
        color = hsv(float(self.rng.random()), self.rng.uniform(0.1, 0.8), self.rng.uniform(0.1, 0.95))
        return self.plain(color, 0.05 * self.rng.random(), float(self.rng.choice([0, 0.04])))


# What a kind of texture may be replaced by, and how often.
VARIANTS: dict[str, tuple[str, float]] = {
    "fabric": ("printed_fabric", 0.4),
    "wood": ("knotty_wood", 0.35),
    "floor_boards": ("worn_boards", 0.3),
    "wallpaper": ("damask", 0.45),
    "mosaic": ("strip_mosaic", 0.6),
    "granite": ("terrazzo", 0.3),
    "bricks": ("rubble", 0.3),
    "paving": ("rubble", 0.3),
    "gravel": ("asphalt", 0.4),
    "grass": ("meadow", 0.65),
    "foliage": ("leaf_litter", 0.6),
    "rug": ("kilim", 0.55),
    "packaging": ("label", 0.6),
    "painting": ("label", 0.15),
}


class RichPaint(Paint):
    """Draws from the finer textures too, varnishes more, and varies colours more; for training scenes."""

    def _varied(self, kinds: tuple[str, ...]) -> str:
        kind = str(self.rng.choice(kinds))
        other, chance = VARIANTS.get(kind, (kind, 0.0))
        return other if self.rng.random() < chance and other in self.library.kinds else kind

    def textured(self, *kinds: str, specular: float = 0.0, mirror: float = 0.0, scale: float = 1.0) -> Material:
        """As `Paint.textured`, of a kind or its finer variant."""
        return super().textured(self._varied(kinds), specular=specular, mirror=mirror, scale=scale)

    def picture(self, width: float, height: float, *kinds: str, specular: float = 0.0, mirror: float = 0.0) -> Material:
        """As `Paint.picture`, of a kind or its finer variant."""
        return super().picture(width, height, self._varied(kinds), specular=specular, mirror=mirror)

    def wood(self) -> Material:
        """Timber, raw to polished."""
        gloss = float(self.rng.choice([0.0, 0.03, 0.05, 0.08], p=[0.35, 0.25, 0.25, 0.15]))
        return self.textured("wood", specular=0.08 * self.rng.random(), mirror=gloss)

    def glazed(self) -> Material:
        """Glass and glaze of small things: any colour, shining."""
        color = hsv(float(self.rng.random()), self.rng.uniform(0.0, 0.9), self.rng.uniform(0.05, 0.95))
        return self.plain(color, float(self.rng.uniform(0.1, 0.4)), float(self.rng.uniform(0.04, 0.1)))
