"""Novel view synthesis on real captures: the network against trivial and classical baselines."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from app.benchmarks.nvs_protocol import every_second_upright, load_scene
from app.benchmarks.plane_sweep import synthesise
from recon.geometry.overlap import typical_depths
from recon.io.names import unique_names
from recon.metrics.image import psnr, ssim
from recon.pipeline.config import QUALITIES
from recon.pipeline.protocols import GaussianReconstructor
from recon.refine.config import RefineConfig
from recon.refine.refine import refine
from recon.render.rasterizer import render
from recon.types import Cameras, Gaussians, ViewSet

METHODS = ("feed_forward", "feed_forward_4", "two_upright", "refined", "nearest", "plane_sweep")


def run(folders: list[Path], reconstructor: GaussianReconstructor, steps: int | None = None) -> dict[str, Any]:
    """Scores of every scene and their means.

    Args:
        folders: Captures with `cameras.json`.
        reconstructor: Network under test.
        steps: Of refinement; None for the number of the balanced preset.
    """
    steps = QUALITIES["balanced"].refine_steps(4) if steps is None else steps
    names = unique_names(folder.resolve().name for folder in folders)
    scenes = {name: score_scene(folder, reconstructor, steps) for name, folder in zip(names, folders, strict=True)}
    mean = {
        method: {
            key: sum(s[method][key] for s in scenes.values()) / len(scenes)
            for key in next(iter(scenes.values()))[method]
        }
        for method in METHODS
    }
    return {"refine_steps": steps, "mean": mean, "scenes": scenes}


def score_scene(folder: Path, reconstructor: GaussianReconstructor, steps: int) -> dict[str, dict[str, float]]:
    """Scores of every method on one capture; seconds where the network or refinement worked."""
    rendered, seconds, truth = render_scene(folder, reconstructor, steps)
    scores = {
        method: {"psnr": float(psnr(images, truth).mean()), "ssim": float(ssim(images, truth).mean())}
        for method, images in rendered.items()
    }
    for method, value in seconds.items():
        scores[method]["seconds"] = value
    return scores


def render_scene(
    folder: Path, reconstructor: GaussianReconstructor, steps: int
) -> tuple[dict[str, Tensor], dict[str, float], Tensor]:
    """The targets by every method [targets, 3, 256, 256], seconds, and the photographs they should equal."""
    views, frames = load_scene(folder)
    two, four, target = views[frames.two], views[frames.four], views[frames.targets]
    cameras = target.posed_cameras
    nearest = torch.cdist(cameras.centers, two.posed_cameras.centers).argmin(1)
    seconds: dict[str, float] = {}
    with _timed(seconds, "feed_forward"):
        from_two = reconstructor.reconstruct(two)
    with _timed(seconds, "feed_forward_4"):
        from_four = reconstructor.reconstruct(four)
    upright = every_second_upright(four)
    with _timed(seconds, "two_upright"):
        from_upright = reconstructor.reconstruct(upright)
    with _timed(seconds, "refined"):
        depths = typical_depths(four.posed_cameras)
        refined = refine(from_four, four, depths, RefineConfig(steps=steps)).gaussians if steps else from_four
    rendered = {
        "feed_forward": predict(from_two, two, cameras),
        "feed_forward_4": predict(from_four, four, cameras),
        "two_upright": predict(from_upright, upright, cameras),
        "refined": predict(refined, four, cameras),
        "nearest": two.images[nearest],
        "plane_sweep": synthesise(two, cameras),
    }
    return rendered, seconds, target.images


def predict(gaussians: Gaussians, context: ViewSet, target: Cameras) -> Float[Tensor, "targets 3 height width"]:
    """Targets seen through Gaussians; holes show the mean colour of the context."""
    with torch.no_grad():
        image = render(gaussians, target, background=context.images.mean((0, 2, 3))).color
    return image.permute(0, 3, 1, 2).clamp(0, 1)


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[name] = round(time.perf_counter() - start, 2)
