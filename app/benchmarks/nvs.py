"""Novel view synthesis on real captures: the network against trivial and classical baselines."""

from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from app.benchmarks.nvs_protocol import load_scene
from app.benchmarks.plane_sweep import synthesise
from recon.io.names import unique_names
from recon.metrics.image import psnr, ssim
from recon.pipeline.protocols import GaussianReconstructor
from recon.render.rasterizer import render
from recon.types import Cameras, ViewSet

METHODS = ("feed_forward", "feed_forward_4", "nearest", "plane_sweep")


def run(folders: list[Path], reconstructor: GaussianReconstructor) -> dict[str, Any]:
    """Scores of every scene and their means.

    Args:
        folders: Captures with `cameras.json`.
        reconstructor: Network under test.
    """
    names = unique_names(folder.resolve().name for folder in folders)
    scenes = {name: score_scene(folder, reconstructor) for name, folder in zip(names, folders, strict=True)}
    mean = {
        method: {key: sum(s[method][key] for s in scenes.values()) / len(scenes) for key in ("psnr", "ssim")}
        for method in METHODS
    }
    return {"mean": mean, "scenes": scenes}


def score_scene(folder: Path, reconstructor: GaussianReconstructor) -> dict[str, dict[str, float]]:
    """Scores of every method on one capture."""
    rendered, truth = render_scene(folder, reconstructor)
    return {
        method: {"psnr": float(psnr(images, truth).mean()), "ssim": float(ssim(images, truth).mean())}
        for method, images in rendered.items()
    }


def render_scene(folder: Path, reconstructor: GaussianReconstructor) -> tuple[dict[str, Tensor], Tensor]:
    """The targets by every method, and the photographs they should equal; each [targets, 3, 256, 256]."""
    views, frames = load_scene(folder)
    two, four, target = views[frames.two], views[frames.four], views[frames.targets]
    if two.cameras is None or target.cameras is None:
        raise ValueError("a posed capture has cameras")
    nearest = torch.cdist(target.cameras.centers, two.cameras.centers).argmin(1)
    rendered = {
        "feed_forward": predict(two, target.cameras, reconstructor),
        "feed_forward_4": predict(four, target.cameras, reconstructor),
        "nearest": two.images[nearest],
        "plane_sweep": synthesise(two, target.cameras),
    }
    return rendered, target.images


def predict(
    context: ViewSet, target: Cameras, reconstructor: GaussianReconstructor
) -> Float[Tensor, "targets 3 height width"]:
    """Targets seen through the Gaussians that the network makes of the context; holes show its mean colour."""
    gaussians = reconstructor.reconstruct(context)
    with torch.no_grad():
        image = render(gaussians, target, background=context.images.mean((0, 2, 3))).color
    return image.permute(0, 3, 1, 2).clamp(0, 1)
