"""How large an input may be."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Bounds that every reader checks before it allocates memory.

    Attributes:
        max_photographs: Photographs in one set.
        max_file_bytes: Size of one image file.
        max_pixels: Declared width times height of one image. Pillow itself refuses more than 178,956,970.
        max_long_side: A photograph with a longer side is reduced to it in memory.
        max_json_bytes: Size of one JSON file.
        max_gaussians: Gaussians in one PLY file.
    """

    max_photographs: int = 512
    max_file_bytes: int = 256 * MEBIBYTE
    max_pixels: int = 89_478_485
    max_long_side: int = 2048
    max_json_bytes: int = 64 * MEBIBYTE
    max_gaussians: int = 20_000_000


DEFAULT_LIMITS = Limits()
