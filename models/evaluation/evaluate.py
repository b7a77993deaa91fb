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
from models.evaluation.memory import process_memory
from models.evaluation.results import draw_comparison, write_results
from models.evaluation.score import evaluation_module, score
from models.evaluation.scored import Scored, open_scored, write_scored
from models.hub import Pretrained, load_pretrained, sha256_of
from models.ilrm.module import ILRMModule
from recon.data.captures.checks import reason_of
from recon.data.captures.open_source import open_captures
from recon.data.evaluation import EvaluationSample, evaluation_samples
from recon.data.views.index_files import read_evaluation_index
from recon.errors import InputError
from recon.io.json_file import plain
from recon.metrics.lpips import LPIPS, read_lpips
from recon.metrics.scores import data_set_scores

logger = logging.getLogger(__name__)
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
        What stands in `scores.json`, which has null for NaN.

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
    module, lpips = evaluation_module(pretrained, device), _lpips(config, device)
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


def _lpips(config: EvalConfig, device: torch.device) -> LPIPS | None:
    if config.lpips_backbone is None:
        logger.warning("LPIPS is not measured: lpips_backbone names no file of VGG-16 weights")
        return None
    heads = None if config.lpips_heads is None else Path(config.lpips_heads)
    return read_lpips(Path(config.lpips_backbone), heads).to(device)
