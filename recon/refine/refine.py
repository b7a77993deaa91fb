"""Fitting Gaussians to the photographs they were made from."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import InputError
from recon.refine.config import RefineConfig
from recon.refine.fit import Fit, State
from recon.refine.pruning import worth_keeping
from recon.types import Cameras, Gaussians, ViewSet

Progress = Callable[[int, int, float], None]
"""Told how many steps are done, how many there are at most, and about how many seconds are left."""


@dataclass(frozen=True)
class Refined:
    """What refinement made.

    Attributes:
        gaussians: The fitted scene.
        cameras: Of all views; as given unless poses were fitted too.
        report: Measured facts, ready for JSON.
    """

    gaussians: Gaussians
    cameras: Cameras
    report: dict[str, Any]


def refine(
    gaussians: Gaussians,
    views: ViewSet,
    depths: Float[Tensor, " views"],
    config: RefineConfig,
    *,
    held_back: int | None = None,
    seed: int = 0,
    progress: Progress = lambda done, total, seconds_left: None,
) -> Refined:
    """Change Gaussians so that they render the photographs (3D Gaussian splatting, Kerbl et al. 2023, section 5).

    One view a step, mean squared error, Adam. With a view held back, the state that renders this view best is kept,
    and fitting stops when it has not become better for a while.

    Args:
        gaussians: Where to begin.
        views: Photographs with cameras.
        depths: Typical depth of what each view sees, world units (`recon.geometry.overlap.typical_depths`).
        config: How to fit.
        held_back: Index of the view that is only looked at.
        seed: Seed of the order of views and of the backgrounds.
        progress: Told now and then how far it is.

    Raises:
        InputError: There are no Gaussians, or no view is left to fit to.
    """
    fitted = [i for i in range(len(views)) if i != held_back]
    if not fitted or not len(gaussians):
        raise InputError(f"{len(gaussians)} Gaussians and {len(fitted)} views to fit: there is nothing to refine")
    start = time.perf_counter()
    generator = torch.Generator().manual_seed(seed)
    fit = Fit(gaussians, views, views.posed_cameras, depths, fitted, config, generator)
    watched = fitted if held_back is None else [held_back]
    before = sum(fit.psnr(i) for i in watched) / len(watched)
    look_every = max(config.check_every, len(fitted))
    state, steps, done = _descend(fit, config, look_every, _endless(fitted, generator), held_back, progress)
    keep = worth_keeping(state.gaussians, state.cameras, depths, config.min_opacity)
    kept = state.gaussians[keep] if bool(keep.any()) else state.gaussians
    after = sum(fit.psnr(i, kept) for i in watched) / len(watched)
    report = {
        "steps": steps,
        "steps_run": done,
        "psnr_before": round(before, 2),
        "psnr_after": round(after, 2),
        "pruned": len(state.gaussians) - len(kept),
        "seconds": round(time.perf_counter() - start, 1),
    }
    return Refined(kept, state.cameras, report)


def _descend(
    fit: Fit,
    config: RefineConfig,
    look_every: int,
    order: Iterator[int],
    held_back: int | None,
    progress: Progress,
) -> tuple[State, int, int]:
    """The state that is kept, the step it belongs to, and the steps done."""
    start = time.perf_counter()
    best, best_psnr, best_step, done = fit.state(), -math.inf, 0, 0
    if held_back is not None:
        best_psnr = fit.psnr(held_back)
    for done in range(1, config.steps + 1):
        fit.step(next(order))
        if done % config.check_every == 0 or done == config.steps:
            progress(done, config.steps, (time.perf_counter() - start) / done * (config.steps - done))
        if done % look_every and done < config.steps:
            continue
        psnr = math.inf if held_back is None else fit.psnr(held_back)
        if psnr >= best_psnr:
            best, best_psnr, best_step = fit.state(), psnr, done
        elif done - best_step >= config.patience * look_every:
            break
    return best, best_step, done


def _endless(views: list[int], generator: torch.Generator) -> Iterator[int]:
    """All views in random order, again and again."""
    while True:
        for i in torch.randperm(len(views), generator=generator).tolist():
            yield views[i]
