"""A video that flies through the scene."""

from pathlib import Path

from recon.io.video import write_mp4
from recon.pipeline.pictures import even_size, fit_cameras, pictures
from recon.render.trajectory import tour
from recon.types import Scene

FPS = 24
SECONDS_PER_VIEW = 0.5
MAX_SECONDS = 20
MAX_LONG_SIDE = 640


def export_mp4(scene: Scene, folder: Path) -> list[Path]:
    """Write `turntable.mp4`: H.264, a loop through the cameras of the scene."""
    cameras = scene.cameras
    cameras = fit_cameras(cameras, even_size((int(cameras.size[0, 0]), int(cameras.size[0, 1])), MAX_LONG_SIDE))
    path = folder / "turntable.mp4"
    frames = (picture.color for picture in pictures(scene.gaussians, tour(cameras, num_tour_frames(len(cameras)))))
    write_mp4(path, frames, FPS)
    return [path]


def num_tour_frames(num_views: int) -> int:
    """Frames of a tour that stays a while with each view."""
    return round(min(MAX_SECONDS, max(4, SECONDS_PER_VIEW * 2 * num_views)) * FPS)
