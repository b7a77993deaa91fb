"""`recon render`: a finished scene along a camera path, as a video or as pictures."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from recon.errors import ExportError, InputError
from recon.io.atomic import check_output, staged_folder
from recon.io.depth_files import write_depth, write_depth_json, write_png
from recon.io.scene_folder import SavedScene, load_scene
from recon.io.video import write_mp4
from recon.pipeline.flight_plan import FlightConfig, plan_flight
from recon.pipeline.pictures import MIN_ALPHA, Picture, colored_depth, depth_range, pictures

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Flight:
    """What was written.

    Attributes:
        files: Paths.
        report: Measured facts, ready for JSON.
    """

    files: list[Path]
    report: dict[str, Any]


def fly(source: Path, out: Path, config: FlightConfig, *, overwrite: bool = False) -> Flight:
    """Render a scene and write `out`: a video if its suffix is `.mp4`, else a folder of `frame_*.png`.

    Depth goes to a second video `NAME.depth.mp4`, or to `depth/` in the folder (see `recon.io.depth_files`).

    Raises:
        InputError: The source, the path or an option cannot be used.
        ExportError: `out` exists already, or cannot be written.
    """
    as_video = _is_video(out)
    _check_target(out, as_video, config.depth, overwrite)
    scene = load_scene(source)
    trajectory, path, fps = plan_flight(scene, config)
    gaussians = scene.gaussians.to(config.device)
    background = torch.tensor(config.background)
    log.info("rendering %d frames of %dx%d along %s", len(path), *path.size[0].tolist(), trajectory)
    native = None if scene.cameras is None else float(scene.cameras.K[:, 1, 1].median())
    rendered = pictures(gaussians, path, background=background, depth=config.depth, native_focal_px=native)
    frames = _announced(rendered, len(path))
    limits = depth_range(gaussians, path) if config.depth else (1.0, 2.0)
    files = (
        _videos(out, frames, fps, limits, config.depth) if as_video else _folder(out, frames, limits, scene, overwrite)
    )
    report = {"trajectory": trajectory, "frames": len(path), "fps": fps, "size": path.size[0].tolist()}
    return Flight(files, report)


def _is_video(out: Path) -> bool:
    if out.suffix.lower() == ".mp4":
        return True
    if out.suffix and not out.is_dir():
        raise InputError(f"{out}: no video of the kind {out.suffix!r}", hint="name an .mp4 file, or a folder for PNGs")
    return False


def _depth_video(out: Path) -> Path:
    return out.with_name(f"{out.stem}.depth.mp4")


def _check_target(out: Path, as_video: bool, depth: bool, overwrite: bool) -> None:
    """Refuse before any work begins."""
    if not as_video:
        check_output(out, overwrite)
        return
    if not out.parent.is_dir():
        raise ExportError(f"{out.parent} is no folder", hint="make it first, or name another -o")
    for file in [out, _depth_video(out)] if depth else [out]:
        if file.exists() and not overwrite:
            raise ExportError(f"{file} exists already", hint="name another file, or pass --overwrite")


def _announced(frames: Iterator[Picture], num: int) -> Iterator[Picture]:
    """The frames, with a word in the log after each quarter."""
    quarters = {round(num * part / 4) for part in (1, 2, 3)}
    for i, frame in enumerate(frames):
        if i in quarters and num >= 20:
            log.info("frame %d of %d", i, num)
        yield frame


def _videos(out: Path, frames: Iterator[Picture], fps: float, limits: tuple[float, float], depth: bool) -> list[Path]:
    if not depth:
        write_mp4(out, (frame.color for frame in frames), fps)
        return [out]
    kept: list[np.ndarray] = []  # as PNG, for a film of raw pictures does not fit memory

    def colors() -> Iterator[np.ndarray]:
        for frame in frames:
            if frame.depth is not None:
                kept.append(cv2.imencode(".png", colored_depth(frame.depth, *limits))[1])
            yield frame.color

    write_mp4(out, colors(), fps)
    write_mp4(_depth_video(out), (np.asarray(cv2.imdecode(png, cv2.IMREAD_COLOR)) for png in kept), fps)
    return [out, _depth_video(out)]


def _folder(
    out: Path, frames: Iterator[Picture], limits: tuple[float, float], scene: SavedScene, overwrite: bool
) -> list[Path]:
    written, depth_names = [], []
    with staged_folder(out, overwrite) as folder:
        for i, frame in enumerate(frames):
            name = f"frame_{i:05d}"
            written.append(write_png(folder / f"{name}.png", frame.color))
            if frame.depth is not None:
                (folder / "depth").mkdir(exist_ok=True)
                written += write_depth(folder / "depth", name, frame.depth, colored_depth(frame.depth, *limits))
                depth_names.append(name)
        if depth_names:
            unit = "arbitrary" if scene.record is None else scene.record.unit
            sidecar = folder / "depth" / "depth.json"
            near, far = limits
            written.append(write_depth_json(sidecar, depth_names, near=near, far=far, min_alpha=MIN_ALPHA, unit=unit))
        return [out / path.relative_to(folder) for path in written]
