"""What the curves of a study say: quality after equal steps and after equal time, and what counts as a difference."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any, Literal

import numpy as np

from app.benchmarks.blocks.quality import best_rate, last_psnr, read_runs, trial_runs
from app.benchmarks.blocks.study import Study
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
    """

    name: str
    rate: float
    trials: dict[float, float | None]
    runs: tuple[dict[str, Any], ...]
    failed: tuple[int, ...]

    @property
    def finals(self) -> list[float]:
        """PSNR of every seed after all steps, dB."""
        return [run["curve"][-1]["figures"]["psnr"] for run in self.runs]

    def curve(self, run: dict[str, Any]) -> tuple[list[float], list[float]]:
        """CPU seconds of training and PSNR at every evaluation."""
        points = run["curve"]
        return [p["cpu_seconds"] for p in points], [p["figures"]["psnr"] for p in points]

    def at_time(self, cpu_seconds: float) -> list[float]:
        """PSNR of every seed when training has taken so long; a line between two evaluations."""
        return [float(np.interp(cpu_seconds, *self.curve(run))) for run in self.runs]

    @property
    def shortest(self) -> float:
        """CPU seconds after which the first seed was through."""
        return min(run["curve"][-1]["cpu_seconds"] for run in self.runs)

    @property
    def milliseconds_per_step(self) -> list[float]:
        """CPU time of every seed."""
        return [1000 * run["curve"][-1]["cpu_seconds"] / run["curve"][-1]["step"] for run in self.runs]


def read_results(folder: Path) -> tuple[Study, dict[str, Result]]:
    """The study and its variants with at least one whole run, in the order of `VARIANTS`.

    Raises:
        InputError: There is none, or the runs are of different studies.
        FormatError: A file is not that of a run.
    """
    studies = {str(figures["study"]): figures["study"] for figures in read_runs(folder)}
    if len(studies) != 1:
        raise InputError(
            f"{folder} holds runs of {len(studies)} studies, expected those of one",
            hint="make them with scripts/benchmark_blocks quality --out FOLDER",
        )
    (stored,) = studies.values()
    settings: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in stored.items()}
    study = Study(**settings)
    found = {name: _result(folder, study, name) for name in VARIANTS}
    results = {name: result for name, result in found.items() if result is not None}
    if BASELINE not in results:
        raise InputError(f"{folder} holds no whole run of {BASELINE}", hint="nothing can be compared without it")
    return study, results


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


def _result(folder: Path, study: Study, name: str) -> Result | None:
    rate = best_rate(folder, study, name)
    if rate is None:
        return None
    trials = {run.rate: last_psnr(read_json(folder / run.file_name)) for run in trial_runs(study, name)}
    runs = [
        figures
        for figures in read_runs(folder)
        if figures["run"]["variant"] == name and figures["run"]["steps"] == study.steps
        and figures["run"]["rate"] == rate and figures["run"]["seed"] in study.seeds
    ]  # fmt: skip
    good = tuple(sorted((run for run in runs if not run["failed"]), key=lambda run: run["run"]["seed"]))
    failed = tuple(run["run"]["seed"] for run in runs if run["failed"])
    return Result(name, rate, trials, good, failed) if good else None
