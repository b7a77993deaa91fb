"""The quality study: which runs there are, which are done, and doing the others."""

import logging
import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from app.benchmarks.blocks.fresh_process import end_with_parent, in_fresh_process, process_context
from app.benchmarks.blocks.step_times import FILE, time_steps
from app.benchmarks.blocks.study import Run, Study, data_fingerprint, perform
from app.benchmarks.blocks.variants import VARIANTS
from recon.errors import InputError
from recon.io.json_file import plain, read_json, write_json

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class QualityOptions:
    """Which runs are made.

    Attributes:
        data: Folder of rooms with `train` and `val` (scripts/prepare_rooms).
        out: Folder of the figures, one file for each run; runs whose file is there are not made again.
        only: Names of variants; all if empty.
        minutes: No run begins later than this after the start; those that have begun are finished. None for no end.
        processes: Runs at the same time, each on one thread; the CPU seconds of runs that share a core are larger. 0
            makes them one after the other in this process, for looking into it.
        study: What all runs share; a folder holds runs of one study only.
        control_rate: Make whole runs at this rate instead, whichever has won: what they tell is whether the choice of
            rates decided, and is reported beside the table.
    """

    data: str = ".cache/rooms"
    out: str = "runs/blocks"
    only: tuple[str, ...] = ()
    minutes: float | None = None
    processes: int = 1
    study: Study = field(default_factory=Study)
    control_rate: float | None = None


Figures = dict[str, Any]


def run(options: QualityOptions) -> dict[str, Any]:
    """Make the runs that are missing: first those that choose the rates, then whole runs seed by seed.

    When none is missing, the steps of all variants are timed side by side, unless that is done.

    Returns:
        "done", "made" (of those, now) and "missing": numbers of runs. Variants that failed at every rate have no whole
        runs, and miss none.

    Raises:
        InputError: A name is unknown, an option makes no sense, or the folder holds runs of another study.
    """
    names = _chosen(options)
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    require_same_study(folder, options.study, data_fingerprint(Path(options.data)))
    end = None if options.minutes is None else time.monotonic() + 60 * options.minutes
    if options.control_rate is not None:
        seeds, rate = options.study.seeds, options.control_rate
        runs = [Run(name, rate, seed, options.study.steps) for seed in seeds for name in names]
        made = _perform_all(options, folder, runs, end)
        done = sum((folder / run.file_name).exists() for run in runs)
        return {"done": done, "made": made, "missing": len(runs) - done}
    trials = [run for name in names for run in trial_runs(options.study, name)]
    made = _perform_all(options, folder, trials, end)
    whole = [run for seed in options.study.seeds for run in whole_runs(folder, options.study, names, seed)]
    made += _perform_all(options, folder, whole, end)
    hopeless = [name for name in names if failed_at_every_rate(folder, options.study, name)]
    expected = len(names) * (len(options.study.rates) + len(options.study.seeds))
    expected -= len(hopeless) * len(options.study.seeds)
    done = sum((folder / run.file_name).exists() for run in trials + whole)
    if done == expected:
        _time_steps(options, folder, [name for name in names if name not in hopeless])
    return {"done": done, "made": made, "missing": expected - done}


def trial_runs(study: Study, variant: str) -> list[Run]:
    """Short runs, one for each rate."""
    return [Run(variant, rate, study.trial_seed, study.trial_steps) for rate in study.rates]


def whole_runs(folder: Path, study: Study, variants: Sequence[str], seed: int) -> list[Run]:
    """The runs of a seed at the rates that won; variants with missing trials have none."""
    rates = {name: best_rate(folder, study, name) for name in variants}
    return [Run(name, rate, seed, study.steps) for name, rate in rates.items() if rate is not None]


def best_rate(folder: Path, study: Study, variant: str) -> float | None:
    """The rate of the trial with the best last evaluation; None while one is missing, or if all failed."""
    files = {run.rate: folder / run.file_name for run in trial_runs(study, variant)}
    if not all(file.exists() for file in files.values()):
        return None
    scores = {rate: last_psnr(read_json(file)) for rate, file in files.items()}
    usable = {rate: value for rate, value in scores.items() if value is not None}
    return max(usable, key=lambda rate: usable[rate]) if usable else None


def failed_at_every_rate(folder: Path, study: Study, variant: str) -> bool:
    """Whether all trials are there and none can be used."""
    files = [folder / run.file_name for run in trial_runs(study, variant)]
    return all(file.exists() for file in files) and best_rate(folder, study, variant) is None


def last_psnr(figures: Figures) -> float | None:
    """PSNR of the last evaluation, or None if the run failed."""
    if figures["failed"] or not figures["curve"]:
        return None
    return figures["curve"][-1]["figures"]["psnr"]


def read_runs(folder: Path) -> Iterator[Figures]:
    """The figures of every run in a folder.

    Raises:
        FormatError: A file is none that `perform` has written.
    """
    for path in sorted(folder.glob("*.rate*.seed*.steps*.json")):
        yield read_json(path)


def require_same_study(folder: Path, study: Study, data: str | None = None) -> None:
    """Refuse a folder with runs that cannot be compared with those to come.

    Args:
        folder: Of runs.
        study: What they have to share.
        data: `data_fingerprint` of the rooms that they must have seen; None if they need only agree among themselves.

    Raises:
        InputError: There is one of another study, of a variant that was something else then, or with other rooms.
    """
    for figures in read_runs(folder):
        variant = figures["run"]["variant"]
        seen = figures.get("data")
        data = seen if data is None else data
        found = figures["study"] | {"data": seen, f"block of {variant}": figures["block"]}
        block = asdict(VARIANTS[variant]) if variant in VARIANTS else None
        wanted = plain(asdict(study) | {"data": data, f"block of {variant}": block})
        differing = [name for name in wanted if found.get(name) != wanted[name]]
        if differing:
            name = differing[0]
            raise InputError(
                f"{folder} holds runs of another study: {name} was {found.get(name)}, now {wanted[name]}",
                hint="name another folder with --out, or give the settings of the runs that are there",
            )


def _chosen(options: QualityOptions) -> Sequence[str]:
    if unknown := [name for name in options.only if name not in VARIANTS]:
        raise InputError(f"no variant is called {', '.join(unknown)}", hint=f"there are {', '.join(VARIANTS)}")
    if options.control_rate is not None and not 0 < options.control_rate < math.inf:
        raise InputError(f"control_rate is {options.control_rate}, expected a positive learning rate")
    if options.processes < 0 or options.study.steps < 1 or options.study.points < 1:
        raise InputError(
            f"{options.processes} processes, {options.study.steps} steps, {options.study.points} points",
            hint="expected at least 1 step and point, and no negative number",
        )
    return [name for name in VARIANTS if not options.only or name in options.only]


def _perform_all(options: QualityOptions, folder: Path, runs: Sequence[Run], end: float | None) -> int:
    """Perform those whose file is missing until the time is over; how many."""
    missing = [run for run in runs if not (folder / run.file_name).exists()]
    data, study = Path(options.data), options.study
    made = 0
    while missing and options.processes == 0 and not _over(end):
        run = missing.pop(0)
        _tell(run, perform(study, run, data, folder), len(missing))
        made += 1
    if options.processes == 0:
        return made
    with ProcessPoolExecutor(
        options.processes, mp_context=process_context(), initializer=end_with_parent, max_tasks_per_child=1
    ) as pool:
        running: dict[Future[Path], Run] = {}
        while missing or running:
            while missing and len(running) < options.processes and not _over(end):
                run = missing.pop(0)
                running[pool.submit(perform, study, run, data, folder)] = run
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                _tell(running.pop(future), future.result(), len(missing))
                made += 1
    return made


def _time_steps(options: QualityOptions, folder: Path, names: Sequence[str]) -> None:
    """Again for all, if one is missing: only what is measured side by side can be compared."""
    path = folder / FILE
    known = list(read_json(path)["milliseconds"]) if path.exists() else []
    if set(names) <= set(known):
        return
    both = [name for name in VARIANTS if name in {*names, *known}]
    logger.info("timing the steps of %d variants", len(both))
    measure = time_steps if options.processes == 0 else partial(in_fresh_process, time_steps)
    write_json(path, measure(options.study, both, Path(options.data)))


def _over(end: float | None) -> bool:
    return end is not None and time.monotonic() >= end


def _tell(run: Run, path: Path, left: int) -> None:
    figures = read_json(path)
    outcome = f"failed: {figures['failed']}" if figures["failed"] else f"{last_psnr(figures):.2f} dB"
    logger.info("%s: %s after %.0f s; %d runs left", path.stem, outcome, figures["seconds"], left)
