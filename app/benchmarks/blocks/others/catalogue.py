"""What there is to measure, and doing what is missing."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from app.benchmarks.blocks.machine import facts
from app.benchmarks.blocks.others import adapters, assignment, distances, pruning, short_runs
from app.benchmarks.blocks.study import Study, data_fingerprint, stored_study
from recon.errors import InputError
from recon.io.json_file import plain, read_json, write_json

logger = logging.getLogger(__name__)

Measure = Callable[[Path, Study, Path], dict[str, Any]]


def run(data: Path, folder: Path, only: Sequence[str], study: Study) -> dict[str, int]:
    """Measure what has no file in the folder yet, one after the other.

    Args:
        data: Folder of rooms.
        folder: Of the figures, one file for each name, and of weights that several begin with.
        only: Names in `OTHERS`; all if empty.
        study: Of the network and its short runs.

    Returns:
        "made" and "done": numbers of files.

    Raises:
        InputError: There is no such name, or the folder holds figures of another study or of other rooms.
    """
    if unknown := [name for name in only if name not in OTHERS]:
        raise InputError(f"nothing to measure is called {', '.join(unknown)}", hint=f"there are {', '.join(OTHERS)}")
    folder.mkdir(parents=True, exist_ok=True)
    _require_same(folder, study, data_fingerprint(data))
    names = [name for name in OTHERS if not only or name in only]
    missing = [name for name in names if not (folder / f"{name}.json").exists()]
    for name in missing:
        before = facts()
        figures = OTHERS[name](data, study, folder)
        write_json(
            folder / f"{name}.json",
            {"figures": figures, "study": asdict(study), "data": data_fingerprint(data), "machine": before},
        )
        logger.info("%s: %s", name, figures)
    return {"made": len(missing), "done": len(names)}


def read_figures(folder: Path) -> tuple[dict[str, Any], Study]:
    """Name -> figures, of what was measured, in the order of `OTHERS`; and the study that they share.

    Raises:
        InputError: There is nothing, or not all is of one study.
    """
    found = _read(folder)
    if not found:
        raise InputError(
            f"{folder} holds no figures", hint="make them with scripts/benchmark_blocks others --out FOLDER"
        )
    first = next(iter(found.values()))
    study = stored_study(first["study"])
    _require_same(folder, study, first["data"])
    return {name: content["figures"] for name, content in found.items()}, study


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    files = {name: folder / f"{name}.json" for name in OTHERS}
    return {name: read_json(file) for name, file in files.items() if file.exists()}


def _require_same(folder: Path, study: Study, data: str) -> None:
    wanted = plain(asdict(study)) | {"data": data}
    for name, content in _read(folder).items():
        found = content.get("study", {}) | {"data": content.get("data")}
        for setting, value in wanted.items():
            if found.get(setting) != value:
                raise InputError(
                    f"{folder}/{name}.json was measured with {setting} {found.get(setting)}, now it is {value}",
                    hint="name another folder with --out, or give the settings of what is there",
                )


def _short(name: str, data: Path, study: Study, folder: Path) -> dict[str, Any]:
    return short_runs.measure(name, data, study)


def _adapter(name: str, data: Path, study: Study, folder: Path) -> dict[str, Any]:
    return adapters.measure(name, data, study, folder, adapters.Adaptation())


OTHERS: dict[str, Measure] = {
    **{f"short_{name}": partial(_short, name) for name in short_runs.SHORT},
    **{f"adapter_{name}": partial(_adapter, name) for name in adapters.ADAPTERS},
    "pruning": pruning.measure,
    "assignment": lambda data, study, folder: assignment.measure(),
    "distances": lambda data, study, folder: distances.measure(),
}
"""Name of a file -> what is in it."""
