"""Which cameras a film of a finished scene is made from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from recon.errors import InputError
from recon.io.camera_path import MAX_FRAMES, read_camera_path
from recon.io.scene_folder import SavedScene
from recon.pipeline.pictures import even_size, fit_cameras
from recon.pipeline.video import num_tour_frames
from recon.render.orbits import FIELD_OF_VIEW_DEG, orbit, ring_around, ring_through, spiral, up_for_paths
from recon.render.trajectory import tour
from recon.types import Cameras

TRAJECTORIES = ("tour", "orbit", "spiral", "inputs")
FPS = 24.0
FPS_OF_INPUTS = 2.0
SECONDS = 8.0
SIZE_WITHOUT_CAMERAS = (960, 540)
MAX_LONG_SIDE = 1280


@dataclass(frozen=True)
class FlightConfig:
    """What is rendered.

    Attributes:
        trajectory: One of TRAJECTORIES, or a camera path file; None for a tour, or an orbit without cameras.
        size: Width and height in pixels; None for that of the cameras.
        fps: Frames per second; None for 24, and 2 for "inputs".
        seconds: Of the whole path; None for what suits it.
        depth: Whether to render depth too.
        background: sRGB, 0..1.
        device: Where to render.
    """

    trajectory: str | None = None
    size: tuple[int, int] | None = None
    fps: float | None = None
    seconds: float | None = None
    depth: bool = False
    background: tuple[float, float, float] = (0.0, 0.0, 0.0)
    device: torch.device | str = "cpu"


def plan_flight(scene: SavedScene, config: FlightConfig) -> tuple[str, Cameras, float]:
    """Name of the trajectory, its cameras, and frames per second.

    Raises:
        InputError: The scene has too few cameras for the trajectory, or an option has no meaning.
    """
    name = config.trajectory or ("tour" if scene.cameras is not None and len(scene.cameras) > 1 else "orbit")
    if name not in TRAJECTORIES and not name.lower().endswith(".json"):
        raise InputError(f"there is no trajectory {name!r}", hint=f"choose {', '.join(TRAJECTORIES)}, or a PATH.json")
    num, fps = _timing(name, scene, config)
    size = config.size or _own_size(scene)
    if name == "tour":
        path = tour(fit_cameras(_cameras_of(scene, name, 2), size), num)
    elif name == "spiral":
        path = spiral(fit_cameras(_cameras_of(scene, name, 1), size), scene.gaussians, num)
    elif name == "orbit":
        path = _orbit(scene, size, num)
    else:
        path = _cameras_of(scene, name, 1) if name == "inputs" else read_camera_path(Path(name), size)
        path = fit_cameras(path, config.size or even_size((int(path.size[0, 0]), int(path.size[0, 1])), 4096))
        fps = len(path) / config.seconds if config.seconds else fps
    return name, path, fps


def _timing(name: str, scene: SavedScene, config: FlightConfig) -> tuple[int, float]:
    """Frames (of paths that are sampled) and frames per second."""
    fixed = name not in ("tour", "orbit", "spiral")
    if fixed and config.fps is not None and config.seconds is not None:
        raise InputError(f"the frames of {name} are given; say --fps or --seconds, not both")
    fps = config.fps if config.fps is not None else (FPS_OF_INPUTS if name == "inputs" else FPS)
    if not 0 < fps <= 240:
        raise InputError(f"{fps:g} frames per second, expected more than 0 and at most 240")
    if config.seconds is not None and not 0 < config.seconds < MAX_FRAMES:
        raise InputError(f"a path of {config.seconds:g} seconds, expected more than 0 and less than {MAX_FRAMES:,}")
    if fixed:
        return 0, fps
    seconds = SECONDS
    if name == "tour" and scene.cameras is not None:
        seconds = num_tour_frames(len(scene.cameras)) / FPS
    num = round((config.seconds if config.seconds is not None else seconds) * fps)
    if not 1 <= num <= MAX_FRAMES:
        raise InputError(f"{num:,} frames, expected 1 to {MAX_FRAMES:,}", hint="choose other --fps or --seconds")
    return num, fps


def _own_size(scene: SavedScene) -> tuple[int, int]:
    if scene.cameras is None:
        return SIZE_WITHOUT_CAMERAS
    return even_size((int(scene.cameras.size[0, 0]), int(scene.cameras.size[0, 1])), MAX_LONG_SIDE)


def _cameras_of(scene: SavedScene, name: str, at_least: int) -> Cameras:
    if scene.cameras is None or len(scene.cameras) < at_least:
        raise InputError(
            f"{scene.name} comes with {0 if scene.cameras is None else len(scene.cameras)} cameras, "
            f"{name!r} needs at least {at_least}",
            hint="use --trajectory orbit or a PATH.json; cameras are in the scene.json of a result folder",
        )
    return scene.cameras


def _orbit(scene: SavedScene, size: tuple[int, int], num: int) -> Cameras:
    up = up_for_paths(scene.cameras, scene.up)
    if scene.cameras is not None:
        cameras = fit_cameras(scene.cameras, size)
        return orbit(ring_through(cameras, scene.gaussians, up), num, cameras.K[0], cameras.size[0])
    focal = 0.5 * min(size) / np.tan(np.radians(FIELD_OF_VIEW_DEG) / 2)
    K = torch.tensor([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1]], dtype=torch.float32)
    return orbit(ring_around(scene.gaussians, up), num, K, torch.tensor(size))
