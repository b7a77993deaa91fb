"""The figures of one capture."""

import time
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from models.evaluation.memory import PeakMemory
from models.evaluation.scored import Scored
from models.hub import Pretrained
from models.ilrm.module import ILRMModule, Prediction
from models.ilrm.objective import LossConfig, OptimConfig
from models.training.networks import TRAINED
from recon.data.evaluation import EvaluationSample
from recon.data.scene_batches import SceneBatch
from recon.metrics.frequency import octave_gains
from recon.metrics.image import psnr, ssim
from recon.metrics.lpips import LPIPS
from recon.metrics.scores import scene_scores

AT_ONCE = 4
"""Targets that are rendered, and compared, together: LPIPS keeps about 0.7 GiB for each of 544 x 960 pixels."""


def evaluation_module(pretrained: Pretrained, device: torch.device) -> ILRMModule:
    """The training module of the network: evaluation predicts and renders as validation does."""
    make = TRAINED[pretrained.name][1]
    loss = LossConfig(perceptual=0.0)
    return make(pretrained.network, OptimConfig(ema_decay=0.0), loss, max_steps=1).eval().to(device)


@torch.no_grad()
def score(
    module: ILRMModule, sample: EvaluationSample, lpips: LPIPS | None
) -> tuple[Scored, Float[Tensor, "targets 3 height width"]]:
    """Reconstruct one capture from its context views and compare its targets, which are returned too."""
    batch = _batch(sample, module.device)
    parts = [slice(i, i + AT_ONCE) for i in range(0, len(sample.target.images), AT_ONCE)]
    with PeakMemory(module.device) as memory:
        _finish(module.device)
        start = time.perf_counter()
        prediction = module.predict(module.evaluated, batch)
        _finish(module.device)
        seconds = time.perf_counter() - start
        background = module.backgrounds(batch)
        rendered = torch.cat([_render(module, prediction, batch, background, part).cpu() for part in parts])
    compared = [
        _compare(rendered[part].to(module.device), sample.target.images[part].to(module.device), lpips)
        for part in parts
    ]
    views = {name: _joined([part[name] for part in compared]) for name in ("psnr", "ssim", "lpips")}
    gains = torch.tensor(_joined([part["gains"] for part in compared])).nanmean(0).tolist()
    num_gaussians = prediction.gaussians.means.shape[1]
    scores = scene_scores(sample.name, views)
    scored = Scored(scores, sample.overlap_tag, seconds, num_gaussians, gains, memory.num_bytes)
    return scored, rendered


def _render(
    module: ILRMModule, prediction: Prediction, batch: SceneBatch, background: Float[Tensor, "batch 3"], part: slice
) -> Float[Tensor, "part 3 height width"]:
    """Some of the targets."""
    prediction = prediction._replace(target_cam_from_world=prediction.target_cam_from_world[:, part])
    batch = batch._replace(
        target_images=batch.target_images[:, part],
        target_cam_from_world=batch.target_cam_from_world[:, part],
        target_K=batch.target_K[:, part],
    )
    return module.render(prediction, batch, background)[0]


def _compare(
    rendered: Float[Tensor, "n 3 height width"], truth: Float[Tensor, "n 3 height width"], lpips: LPIPS | None
) -> dict[str, list[Any] | None]:
    """Figures of each picture."""
    return {
        "psnr": psnr(rendered, truth).tolist(),
        "ssim": ssim(rendered, truth).tolist(),
        "lpips": None if lpips is None else lpips(rendered, truth).tolist(),
        "gains": octave_gains(rendered.clamp(0, 1), truth).tolist(),
    }


def _joined(parts: list[list[Any] | None]) -> list[Any] | None:
    """One list of several; None where nothing was measured."""
    return [value for part in parts if part is not None for value in part] if parts[0] is not None else None


def _batch(sample: EvaluationSample, device: torch.device) -> SceneBatch:
    context, target = sample.context, sample.target
    tensors = (context.images, context.cam_from_world, context.K, target.images, target.cam_from_world, target.K)
    images, poses, K, target_images, target_poses, target_K = (t[None].to(device) for t in tensors)
    return SceneBatch((0,), (sample.name,), (), images, poses, K, None, target_images, target_poses, target_K)


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
