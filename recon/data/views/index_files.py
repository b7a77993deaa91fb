"""Files of evaluation indexes in the forms that the field publishes."""

import logging
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recon.data.views.evaluation_index import EvaluationEntry, EvaluationIndex
from recon.errors import FormatError, InputError
from recon.io.json_file import read_json_value
from recon.io.limits import DEFAULT_LIMITS, Limits

logger = logging.getLogger(__name__)
FOLD_KEY = re.compile(r"fold_([1-9][0-9]{0,3})_kmeans_([1-9][0-9]{0,3})_input")


def read_evaluation_index(
    path: Path, *, num_context: int | None = None, limits: Limits = DEFAULT_LIMITS
) -> EvaluationIndex:
    """Read an index; its form is told from what the file holds, and logged.

    - pixelSplat, MVSplat, DepthSplat, LVSM, iLRM: `{capture: null | {"context": [..], "target": [..]}}`
    - NoPoSplat: the same with `"overlap"`, a number
    - FLARE: `{capture: {"input": [..], "target": [..]}}`
    - Long-LRM and iLRM's wide release: `[{"scene_name": .., "fold_8_kmeans_16_input": [..], ..}]`; every eighth frame
      is wanted

    Args:
        path: JSON file.
        num_context: Context views; chooses among the lists of the last form. The others do not need it.
        limits: How large the file may be.

    Raises:
        InputError: The file cannot be read, or it has several lists of context views and none of `num_context`.
        FormatError: It follows none of these forms; the message names the capture.
    """
    content = read_json_value(path, limits=limits)
    if isinstance(content, list):
        index = _folds(path, content, num_context)
    elif isinstance(content, dict):
        index = _pairs(path, content)
    else:
        raise FormatError(f"{path}: holds a {type(content).__name__}, expected an object or a list of captures")
    if not index.entries:
        raise FormatError(f"{path}: names no capture with views, expected at least one")
    named = len(index.entries) + len(index.left_out)
    logger.info(
        "%s: evaluation index of the form of %s, views for %d of %d captures", path, index.form, len(index), named
    )
    return index


def _pairs(path: Path, content: Mapping[str, Any]) -> EvaluationIndex:
    given = {name: entry for name, entry in content.items() if entry is not None}
    for name, entry in given.items():
        if not isinstance(entry, dict):
            raise FormatError(f"{path}: {name!r} holds a {type(entry).__name__}, expected null or an object")
    form, context_key = "pixelSplat", "context"
    if any("input" in entry for entry in given.values()):
        form, context_key = "FLARE", "input"
    elif any("overlap" in entry for entry in given.values()):
        form = "NoPoSplat"
    entries = {
        name: EvaluationEntry(
            context=_frames(path, name, entry, context_key, at_least=2),
            target=_frames(path, name, entry, "target", at_least=1),
            overlap=_overlap(path, name, entry) if form == "NoPoSplat" else None,
        )
        for name, entry in given.items()
    }
    return EvaluationIndex(form, entries, tuple(name for name in content if name not in given))


def _folds(path: Path, content: list[Any], num_context: int | None) -> EvaluationIndex:
    entries: dict[str, EvaluationEntry] = {}
    for position, entry in enumerate(content):
        name = entry.get("scene_name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name:
            raise FormatError(
                f'{path}: item {position} has no "scene_name", expected an object with the name of a capture'
            )
        if name in entries:
            raise FormatError(f"{path}: {name!r} comes twice, expected each capture once")
        lists = {int(match[2]): match for key in entry if (match := FOLD_KEY.fullmatch(key))}
        match = _fold(path, name, lists, num_context)
        context = _frames(path, name, entry, match[0], at_least=2)
        entries[name] = EvaluationEntry(context, target_every=int(match[1]))
    return EvaluationIndex("Long-LRM", entries)


def _fold(path: Path, name: str, lists: Mapping[int, re.Match[str]], num_context: int | None) -> re.Match[str]:
    if not lists:
        raise FormatError(f'{path}: {name!r} has no list of context views, expected one like "fold_8_kmeans_16_input"')
    if num_context is None and len(lists) == 1:
        return next(iter(lists.values()))
    if num_context is None or num_context not in lists:
        raise InputError(
            f"{path}: {name!r} has lists of {', '.join(map(str, sorted(lists)))} context views, and "
            f"{'no number was' if num_context is None else f'{num_context} were'} asked for",
            hint="say one of these numbers of context views",
        )
    return lists[num_context]


def _frames(path: Path, name: str, entry: Mapping[str, Any], key: str, at_least: int) -> tuple[int, ...]:
    """Ascending frame numbers."""
    frames = entry.get(key)
    if not isinstance(frames, list) or not all(type(frame) is int and 0 <= frame < 2**31 for frame in frames):
        raise FormatError(f'{path}: "{key}" of {name!r} is {_shown(frames)}, expected a list of frame numbers')
    if len(set(frames)) != len(frames) or len(frames) < at_least:
        raise FormatError(
            f'{path}: "{key}" of {name!r} is {_shown(frames)}, expected at least {at_least} distinct frame numbers'
        )
    return tuple(sorted(frames))


def _overlap(path: Path, name: str, entry: Mapping[str, Any]) -> float | None:
    overlap = entry.get("overlap")
    if overlap is None:
        return None
    if type(overlap) not in (int, float) or not math.isfinite(overlap) or not 0 <= overlap <= 1:
        raise FormatError(f'{path}: "overlap" of {name!r} is {_shown(overlap)}, expected a number from 0 to 1')
    return float(overlap)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
