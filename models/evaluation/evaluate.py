"""One evaluation, capture by capture."""

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from models.device import pick_device
from models.evaluation.config import EvalConfig, require_fitting, require_usable
from models.evaluation.memory import PeakMemory, process_memory
from models.evaluation.results import draw_comparison, write_results
from models.evaluation.scored import Scored, open_scored, write_scored
from models.hub import Pretrained, load_pretrained, sha256_of
from models.ilrm.module import ILRMModule, Prediction
from models.ilrm.objective import LossConfig, OptimConfig
from models.training.networks import TRAINED
from recon.data.captures.checks import reason_of
from recon.data.captures.open_source import open_captures
from recon.data.evaluation import EvaluationSample, evaluation_samples
from recon.data.scene_batches import SceneBatch
from recon.data.views.index_files import read_evaluation_index
from recon.errors import InputError
from recon.io.json_file import plain
from recon.metrics.frequency import octave_gains
from recon.metrics.image import psnr, ssim
from recon.metrics.lpips import LPIPS, read_lpips
from recon.metrics.scores import data_set_scores, scene_scores

logger = logging.getLogger(__name__)
AT_ONCE = 4
"""Targets that are rendered, and compared, together: LPIPS keeps about 0.7 GiB for each of 544 x 960 pixels."""
SAVE_AFTER = 30.0
"""Seconds after which the scores so far are written."""
MAY_CHANGE = frozenset({"weights", "index", "folder", "lpips_backbone", "lpips_heads", "out", "max_scenes", "pictures",
                        "untimed", "resume", "overwrite"})  # fmt: skip
"""Options that a resumed evaluation may have otherwise; of files, it is what they hold that must be the same."""


def evaluate(config: EvalConfig) -> dict[str, Any]:
    """Score every capture of the index; writes `scores.json`, `scenes.csv`, `scenes.json` and comparisons.

    A capture that cannot be scored is left out and counted by reason. Whatever ends the evaluation, what was scored
    until then is written, and `resume` goes on from there.

    Returns:
        What stands in `scores.json`.

    Raises:
        InputError: No capture of the index can be evaluated, or a file cannot be read.
        CheckpointError: There are no such weights.
        ResourceError: This machine has no such device.
        ExportError: `out` holds results, which are neither to be replaced nor to be gone on with.
    """
    require_usable(config)
    torch.set_num_threads(config.threads)
    device = pick_device(config.device)
    pretrained = load_pretrained(config.weights)
    require_fitting(config, pretrained.network.config)
    module, lpips = _module(pretrained, device), _lpips(config, device)
    run = _run(config, pretrained, device)
    out = Path(config.out)
    scenes = open_scored(out, run, resume=config.resume, overwrite=config.overwrite)
    out.mkdir(parents=True, exist_ok=True)
    skipped: Counter[str] = Counter()
    saved = time.monotonic()
    try:
        for scored, sample, rendered in _scores(config, module, lpips, scenes, skipped):
            if len(scenes) < config.pictures:
                draw_comparison(out, len(scenes), sample, rendered)
            scenes.append(scored)
            logger.info("%d: %s %.2f dB", len(scenes), sample.name, scored.scores.scores["psnr"])
            if time.monotonic() > saved + SAVE_AFTER:
                _write(out, config, run, scenes, skipped)
                saved = time.monotonic()
    finally:
        report = _write(out, config, run, scenes, skipped) if scenes else None
    if report is None:
        reasons = ", ".join(f"{count} x {reason}" for reason, count in skipped.most_common())
        raise InputError(
            f"no capture of {config.folder} ({config.split}) can be evaluated by {config.index}: "
            + (reasons or "it names none of them"),
            hint="the index and the data set must name captures alike, and frames must be complete",
        )
    return report


def _scores(
    config: EvalConfig, module: ILRMModule, lpips: LPIPS | None, scenes: Sequence[Scored], skipped: Counter[str]
) -> Iterator[tuple[Scored, EvaluationSample, Float[Tensor, "targets 3 height width"]]]:
    """Captures that are not among `scenes`, which grows, until there are enough; those left out are counted."""
    untimed = config.untimed
    samples = _samples(config, {scene.scores.name for scene in scenes}, skipped)
    while config.max_scenes is None or len(scenes) < config.max_scenes:
        sample = next(samples, None)
        if sample is None:
            return
        try:
            if isinstance(sample, InputError):
                raise sample
            scored, rendered = score(module, sample, lpips)
        except InputError as error:
            skipped[reason_of(error)] += 1
            logger.warning("left out: %s", error.message)
            continue
        if untimed > 0:
            scored, untimed = scored._replace(seconds=None), untimed - 1
        yield scored, sample, rendered


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
    gains = torch.tensor(_joined([part["gains"] for part in compared])).mean(0).tolist()
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


def _samples(config: EvalConfig, done: set[str], skipped: Counter[str]) -> Iterator[EvaluationSample | InputError]:
    """Those that are not done, and why one cannot be evaluated."""
    source = open_captures(config.folder, config.format, config.split, config.read)
    index = read_evaluation_index(Path(config.index), num_context=config.num_context)
    if absent := len(index.entries.keys() - set(source.names)):
        skipped["not in the data set"] = absent
        logger.warning("%d of the %d captures of the index are not in %s", absent, len(index), config.folder)
    rest = replace(index, entries={name: entry for name, entry in index.entries.items() if name not in done})
    yield from evaluation_samples(source, rest, config.size, config.num_context, fit=config.fit)


def _run(config: EvalConfig, pretrained: Pretrained, device: torch.device) -> dict[str, Any]:
    """Everything that decides what is measured, by name."""
    files = {"index": config.index, "lpips_backbone": config.lpips_backbone, "lpips_heads": config.lpips_heads}
    options = {name: value for name, value in asdict(config).items() if name not in MAY_CHANGE}
    return plain(
        {"network": pretrained.name, "weights_sha256": pretrained.sha256}
        | {f"{name}_sha256": None if path is None else _sha256(Path(path)) for name, path in files.items()}
        | options
        | {"device": device.type}
    )


def _sha256(file: Path) -> str:
    try:
        return sha256_of(file)
    except OSError as error:
        raise InputError(f"{file}: the file cannot be read ({error})") from error


def _write(
    out: Path, config: EvalConfig, run: dict[str, Any], scenes: list[Scored], skipped: Counter[str]
) -> dict[str, Any]:
    report = _report(config, run, scenes, skipped)
    write_scored(out, run, scenes)
    write_results(out, report, [s.scores for s in scenes])
    return report


def _report(config: EvalConfig, run: dict[str, Any], scenes: list[Scored], skipped: Counter[str]) -> dict[str, Any]:
    groups = sorted({s.overlap_tag for s in scenes if s.overlap_tag is not None})
    timed = [s.seconds for s in scenes if s.seconds is not None]
    return {
        "mean": data_set_scores([s.scores for s in scenes]),
        "by_overlap": {g: data_set_scores([s.scores for s in scenes if s.overlap_tag == g]) for g in groups},
        "octave_gains": torch.tensor([s.gains for s in scenes]).nanmean(0).tolist(),
        "num_scenes": len(scenes),
        "skipped": dict(skipped),
        "seconds": sum(timed) / len(timed) if timed else None,
        "num_gaussians": sum(s.num_gaussians for s in scenes) / len(scenes),
        "peak_memory_bytes": max((s.memory_bytes for s in scenes if s.memory_bytes is not None), default=None),
        "process_memory_bytes": process_memory(),
        **{name: run[name] for name in ("network", "weights_sha256", "index_sha256")},
        "config": asdict(config),
    }


def _batch(sample: EvaluationSample, device: torch.device) -> SceneBatch:
    context, target = sample.context, sample.target
    tensors = (context.images, context.cam_from_world, context.K, target.images, target.cam_from_world, target.K)
    images, poses, K, target_images, target_poses, target_K = (t[None].to(device) for t in tensors)
    return SceneBatch((0,), (sample.name,), (), images, poses, K, None, target_images, target_poses, target_K)


def _module(pretrained: Pretrained, device: torch.device) -> ILRMModule:
    """The training module of the network: evaluation predicts and renders as validation does."""
    make = TRAINED[pretrained.name][1]
    loss = LossConfig(perceptual=0.0)
    return make(pretrained.network, OptimConfig(ema_decay=0.0), loss, max_steps=1).eval().to(device)


def _lpips(config: EvalConfig, device: torch.device) -> LPIPS | None:
    if config.lpips_backbone is None:
        logger.warning("LPIPS is not measured: lpips_backbone names no file of VGG-16 weights")
        return None
    heads = None if config.lpips_heads is None else Path(config.lpips_heads)
    return read_lpips(Path(config.lpips_backbone), heads).to(device)


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
