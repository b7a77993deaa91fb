"""The library of procedural textures, made once and shared by all processes through a memory map."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from recon.data.rooms import fine_textures, outdoors, pictures, textures
from recon.errors import FormatError
from recon.io.atomic import atomic_write

logger = logging.getLogger(__name__)

# The version counts what a library holds; the seed stays, so that a kind that is added at the end of RECIPES changes no
# texture that was there before.
TEXTURE_VERSION = 2
TEXTURE_SEED = 1
Painter = Callable[[np.random.Generator, int], np.ndarray]

# kind: (painter, how many, smallest and largest edge of one tile in metres)
RECIPES: dict[str, tuple[Painter, int, tuple[float, float]]] = {
    "floor_boards": (textures.floor_boards, 40, (1.0, 2.0)),
    "parquet": (textures.parquet, 10, (0.8, 1.8)),
    "tiles": (textures.tiles, 40, (1.2, 2.4)),
    "mosaic": (textures.mosaic, 16, (0.6, 1.2)),
    "carpet": (textures.carpet, 16, (1.0, 2.0)),
    "plaster": (textures.plaster, 24, (1.5, 3.0)),
    "white_plaster": (textures.white_plaster, 8, (1.0, 2.0)),
    "wallpaper": (textures.wallpaper, 24, (0.8, 1.6)),
    "bricks": (textures.bricks, 16, (0.9, 1.5)),
    "marble": (textures.marble, 16, (1.0, 2.5)),
    "granite": (textures.granite, 12, (0.5, 1.0)),
    "wood": (textures.wood, 40, (0.7, 1.6)),
    "fabric": (textures.fabric, 40, (0.4, 1.0)),
    "painting": (pictures.painting, 64, (1.0, 1.0)),
    "packaging": (pictures.packaging, 24, (1.0, 1.0)),
    "book_row": (pictures.book_row, 16, (0.9, 1.1)),
    "rug": (pictures.rug, 24, (1.0, 1.0)),
    "blinds": (pictures.blinds, 6, (0.5, 0.9)),
    "panorama": (outdoors.panorama, 48, (1.0, 1.0)),
    "grass": (outdoors.grass, 8, (1.5, 3.0)),
    "gravel": (outdoors.gravel, 8, (1.0, 2.5)),
    "paving": (outdoors.paving, 12, (1.5, 3.0)),
    "roof": (outdoors.roof, 10, (2.0, 3.5)),
    "siding": (outdoors.siding, 10, (1.2, 2.0)),
    "foliage": (outdoors.foliage, 12, (0.4, 0.9)),
    "printed_fabric": (fine_textures.printed_fabric, 40, (0.4, 1.2)),
    "quilt": (fine_textures.quilt, 24, (0.9, 1.8)),
    "knotty_wood": (fine_textures.knotty_wood, 32, (0.6, 1.5)),
    "worn_boards": (fine_textures.worn_boards, 24, (0.9, 1.8)),
    "rubble": (fine_textures.rubble, 24, (0.8, 1.8)),
    "terrazzo": (fine_textures.terrazzo, 10, (0.5, 1.2)),
    "strip_mosaic": (fine_textures.strip_mosaic, 20, (0.6, 1.2)),
    "damask": (fine_textures.damask, 20, (0.6, 1.2)),
    "label": (fine_textures.label, 64, (1.0, 1.0)),
    "leaf_litter": (fine_textures.leaf_litter, 20, (0.4, 0.9)),
    "asphalt": (fine_textures.asphalt, 10, (2.0, 4.0)),
    "meadow": (fine_textures.meadow, 14, (1.2, 2.5)),
    "kilim": (fine_textures.kilim, 24, (1.0, 1.0)),
}


def num_texels(size: int) -> int:
    """Texels of a square texture with all its smaller levels down to 1x1."""
    return (4 * size * size - 1) // 3


def build_pyramid(image: UInt8[np.ndarray, "size size 3"]) -> UInt8[np.ndarray, "texels 3"]:
    """All levels from large to small, each the mean of 2x2 texels of the one before, taken in about linear light."""
    size = len(image)
    levels = [image.reshape(-1, 3)]
    light = np.square(image.astype(np.float32))
    while size > 1:
        size //= 2
        light = light.reshape(size, 2, size, 2, 3).mean((1, 3))
        levels.append(np.sqrt(light).round().astype(np.uint8).reshape(-1, 3))
    return np.concatenate(levels)


def linear_from_srgb(value: Float32[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """IEC 61966-2-1, 0..1."""
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


def resize_square(image: UInt8[np.ndarray, "height width 3"], size: int) -> UInt8[np.ndarray, "size size 3"]:
    """The image stretched to a square."""
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


@dataclass(frozen=True)
class Texture:
    """A square tileable picture.

    Attributes:
        pyramid: sRGB texels of all levels, see `build_pyramid`.
        size: Edge of the largest level.
        metres: Edge length of one tile in the world.
    """

    pyramid: UInt8[np.ndarray, "texels 3"]
    size: int
    metres: float


@dataclass(frozen=True)
class TextureLibrary:
    """Textures by kind.

    Attributes:
        texels: Pyramids of all textures.
        metres: Tile edge of each texture.
        kinds: Indices of each kind.
        size: Edge of the largest level.
    """

    texels: UInt8[np.ndarray, "textures texels 3"]
    metres: list[float]
    kinds: dict[str, list[int]]
    size: int

    def pick(self, rng: np.random.Generator, *kinds: str) -> int:
        """Index of a random texture of one of `kinds`."""
        return int(rng.choice(self.kinds[str(rng.choice(kinds))]))

    def __getitem__(self, index: int) -> Texture:
        return Texture(self.texels[index], self.size, self.metres[index])


def _paint(kind: str, number: int, size: int) -> tuple[np.ndarray, float]:
    painter, _, (small, large) = RECIPES[kind]
    rng = np.random.default_rng([TEXTURE_SEED, list(RECIPES).index(kind), number])
    metres = float(rng.uniform(small, large))
    image = np.clip(painter(rng, size), 0.02, 1.0)
    return build_pyramid((image * 255).round().astype(np.uint8)), metres


def make_library(size: int = 512, share: float = 1.0) -> TextureLibrary:
    """Paint all textures; `share` < 1 makes fewer of each kind (for tests)."""
    pyramids, metres, kinds = [], [], {}
    for kind, (_, count, _) in RECIPES.items():
        kinds[kind] = []
        for number in range(max(2, round(count * share))):
            pyramid, edge = _paint(kind, number, size)
            kinds[kind].append(len(pyramids))
            pyramids.append(pyramid)
            metres.append(edge)
    return TextureLibrary(np.stack(pyramids), metres, kinds, size)


def open_library(folder: Path, size: int = 512) -> TextureLibrary:
    """The library kept in `folder`, painted first if it is not there."""
    index_path, texel_path = folder / "textures.json", folder / "textures.npy"
    if not index_path.exists():
        logger.info("painting the texture library into %s", folder)
        library = make_library(size)
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(texel_path) as path, path.open("wb") as stream:
            np.save(stream, library.texels)
        index = {
            "version": TEXTURE_VERSION,
            "metres": library.metres,
            "kinds": library.kinds,
            "size": size,
        }
        with atomic_write(index_path) as path:
            path.write_text(json.dumps(index))
    index = json.loads(index_path.read_text())
    if index["version"] != TEXTURE_VERSION:
        raise FormatError(
            f"{index_path}: version {index['version']}, expected {TEXTURE_VERSION}",
            hint="remove the folder; the textures will be painted anew",
        )
    texels = np.load(texel_path, mmap_mode="r")
    return TextureLibrary(texels, index["metres"], index["kinds"], index["size"])
