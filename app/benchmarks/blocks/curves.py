"""What the curves of a study say: quality after equal steps and after equal time, and what counts as a difference."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any, Literal

import numpy as np

from app.benchmarks.blocks.quality import (
    best_rate,
    failed_at_every_rate,
    last_psnr,
    read_runs,
    require_same_study,
    trial_runs,
)
from app.benchmarks.blocks.step_times import FILE
from app.benchmarks.blocks.study import Run, Study, stored_study
from app.benchmarks.blocks.variants import BASELINE, VARIANTS
from recon.errors import InputError
from recon.io.json_file import read_json

Verdict = Literal["better", "worse", "no difference seen", ""]


@dataclass(frozen=True)
class Result:
    """All that is known of a variant.

    Attributes:
        name: Of the variant.
        rate: Learning rate that was chosen.
        trials: Rate -> last PSNR of the short run, dB; None for one that failed.
        runs: Figures of the whole runs, seed by seed, without those that failed.
        failed: Seeds whose loss or gradients stopped being finite.
        step_ms: CPU time of a training step, measured beside the other variants.
        controls: Rate -> PSNR of whole runs at other rates, seed by seed, dB.
    """

    name: str
    rate: float
    trials: dict[float, float | None]
    runs: tuple[dict[str, Any], ...]
    failed: tuple[int, ...]
    step_ms: float
    controls: dict[float, list[float]]

    @property
    def finals(self) -> list[float]:
        """PSNR of every seed after all steps, dB."""
        return [run["curve"][-1]["figures"]["psnr"] for run in self.runs]

    def curve(self, run: dict[str, Any]) -> tuple[list[float], list[float]]:
        """CPU seconds of training and PSNR at every evaluation."""
        points = run["curve"]
        return [self.step_ms * p["step"] / 1000 for p in points], [p["figures"]["psnr"] for p in points]

    def at_time(self, cpu_seconds: float) -> list[float]:
        """PSNR of every seed when training has taken so long; a line between two evaluations."""
        return [float(np.interp(cpu_seconds, *self.curve(run))) for run in self.runs]

    @property
    def seconds(self) -> float:
        """CPU time of all steps."""
        return min(self.curve(run)[0][-1] for run in self.runs)


@dataclass(frozen=True)
class Results:
    """What a folder of the study holds.

    Attributes:
        study: Of all its runs.
        of: Name -> variant with at least one whole run that went well, in the order of `VARIANTS`.
        failed: Name -> why, of variants that failed at every rate or with every seed.
        times: Of steps, and of the machine that took them: see `time_steps`.
    """

    study: Study
    of: dict[str, Result]
    failed: dict[str, str]
    times: dict[str, Any]


def read_results(folder: Path) -> Results:
    """All that a folder holds.

    Raises:
        InputError: There is no whole run of the baseline, the runs are of different studies, or of a variant it is not
            known how long a step takes.
        FormatError: A file is not that of a run.
    """
    again = "make them with scripts/benchmark_blocks quality --out FOLDER"
    studies = {str(figures["study"]): figures["study"] for figures in read_runs(folder)}
    if len(studies) != 1:
        raise InputError(f"{folder} holds runs of {len(studies)} studies, expected those of one", hint=again)
    study = stored_study(*studies.values())
    require_same_study(folder, study)
    times = read_json(folder / FILE) if (folder / FILE).exists() else {"milliseconds": {}}
    ended = {name: _ended(folder, study, name) for name in VARIANTS}
    good = {name: runs for name, runs in ended.items() if any(not run["failed"] for run in runs)}
    if untimed := [name for name in good if name not in times["milliseconds"]]:
        raise InputError(f"{folder} does not say how long a step of {', '.join(untimed)} takes", hint=again)
    results = {name: _result(folder, study, runs, times["milliseconds"][name]) for name, runs in good.items()}
    if BASELINE not in results:
        raise InputError(f"{folder} holds no whole run of {BASELINE}", hint="nothing can be compared without it")
    failed = {name: _reason(folder, study, name, runs) for name, runs in ended.items() if name not in good}
    return Results(study, results, {name: reason for name, reason in failed.items() if reason}, times)


def spread(values: Sequence[float]) -> float:
    """Largest less smallest."""
    return max(values) - min(values)


def compare(values: Sequence[float], baseline: Sequence[float]) -> Verdict:
    """Whether means differ by more than either spreads; nothing is said of fewer than two seeds."""
    if len(values) < 2 or len(baseline) < 2:
        return ""
    difference = mean(values) - mean(baseline)
    if abs(difference) <= max(spread(values), spread(baseline)):
        return "no difference seen"
    return "better" if difference > 0 else "worse"


def _ended(folder: Path, study: Study, name: str) -> list[dict[str, Any]]:
    """Figures of the whole runs of a variant at the rate that won."""
    rate = best_rate(folder, study, name)
    return [] if rate is None else _whole(folder, study, name, rate)


def _whole(folder: Path, study: Study, name: str, rate: float) -> list[dict[str, Any]]:
    """Figures of the whole runs that are there, seed by seed."""
    files = [folder / Run(name, rate, seed, study.steps).file_name for seed in study.seeds]
    return [read_json(file) for file in files if file.exists()]


def _result(folder: Path, study: Study, runs: list[dict[str, Any]], step_ms: float) -> Result:
    name, rate = runs[0]["run"]["variant"], runs[0]["run"]["rate"]
    trials = {run.rate: last_psnr(read_json(folder / run.file_name)) for run in trial_runs(study, name)}
    good = tuple(run for run in runs if not run["failed"])
    failed = tuple(run["run"]["seed"] for run in runs if run["failed"])
    others = {f["run"]["rate"] for f in read_runs(folder) if f["run"]["variant"] == name} - {rate}
    controls = {
        other: [psnr for run in _whole(folder, study, name, other) if (psnr := last_psnr(run)) is not None]
        for other in sorted(others)
    }
    return Result(name, rate, trials, good, failed, step_ms, {rate: found for rate, found in controls.items() if found})


def _reason(folder: Path, study: Study, name: str, runs: list[dict[str, Any]]) -> str:
    """Why a variant has nothing to show; empty if it is only not done yet."""
    if not runs and failed_at_every_rate(folder, study, name):
        runs = [read_json(folder / run.file_name) for run in trial_runs(study, name)]
    return runs[0]["failed"] if runs else ""
