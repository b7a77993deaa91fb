"""How large an input may be."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE


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
        max_archive_members: Files and folders in one zip archive.
        max_archive_bytes: What all of them may unpack to.
        max_archive_ratio: Unpacked over packed size, of a member and of the whole.
        max_model_bytes: Size of one file of a COLMAP model.
        max_sparse_points: Points in a COLMAP model.
        max_video_bytes: Size of one video file.
        max_video_frames: Frames that are decoded of one video.
        max_video_seconds: Wall time for decoding one video.
        max_video_memory_bytes: Address space of the process that decodes.
    """

    max_photographs: int = 512
    max_file_bytes: int = 256 * MEBIBYTE
    max_pixels: int = 89_478_485
    max_long_side: int = 2048
    max_json_bytes: int = 64 * MEBIBYTE
    max_gaussians: int = 20_000_000
    max_archive_members: int = 5000
    max_archive_bytes: int = 2 * GIBIBYTE
    max_archive_ratio: float = 100.0
    max_model_bytes: int = 2 * GIBIBYTE
    max_sparse_points: int = 5_000_000
    max_video_bytes: int = 8 * GIBIBYTE
    max_video_frames: int = 200_000
    max_video_seconds: float = 600.0
    max_video_memory_bytes: int = 8 * GIBIBYTE


DEFAULT_LIMITS = Limits()
