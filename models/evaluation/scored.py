"""What is kept of each capture of an evaluation, in memory and on disk, so that an interrupted one can go on."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from recon.errors import ExportError, FormatError, InputError
from recon.io.atomic import check_output
from recon.io.json_file import read_json, write_json
from recon.io.limits import MEBIBYTE, Limits
from recon.metrics.scores import SceneScores

SCENES = "scenes.json"
LIMITS = Limits(max_json_bytes=256 * MEBIBYTE)


class Scored(NamedTuple):
    """One capture.

    Attributes:
        scores: Means over its targets.
        overlap_tag: Group of the pair by overlap, where the index tells it.
        seconds: From images to Gaussians, the device having finished; None where that included starting up.
        num_gaussians: In the scene.
        gains: Of each octave of detail (`recon.metrics.frequency`), means over the targets that have any of it; NaN
            where none has.
        memory_bytes: That torch had allocated at most on a GPU while it reconstructed and rendered; None on a CPU.
    """

    scores: SceneScores
    overlap_tag: str | None
    seconds: float | None
    num_gaussians: int
    gains: list[float]
    memory_bytes: int | None


def write_scored(out: Path, run: Mapping[str, Any], scenes: Sequence[Scored]) -> None:
    """Write `scenes.json`: what the captures were scored with, and the captures.

    Raises:
        ExportError: The disk does not take the file.
    """
    rows = [scene._asdict() | {"name": scene.scores.name, "scores": dict(scene.scores.scores)} for scene in scenes]
    write_json(out / SCENES, {"run": dict(run), "scenes": rows})


def open_scored(out: Path, run: Mapping[str, Any], *, resume: bool, overwrite: bool) -> list[Scored]:
    """Captures that are scored already.

    Args:
        out: Folder of the results.
        run: Everything that decides what is measured, by name.
        resume: Whether an interrupted evaluation is gone on with.
        overwrite: Whether results may be replaced.

    Raises:
        ExportError: There are results, which are neither to be replaced nor to be gone on with.
        InputError: They are of an evaluation of something else, or cannot be read.
    """
    if not (resume and (out / SCENES).is_file()):
        try:
            check_output(out, overwrite)
        except ExportError as error:
            if (out / SCENES).is_file():
                error.hint += ", or --resume to go on with an evaluation that was interrupted"
            raise
        return []
    content = read_json(out / SCENES, limits=LIMITS)
    _require_same(out / SCENES, content.get("run"), run)
    try:
        return [_scored(dict(row)) for row in content["scenes"]]
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(
            f"{out / SCENES}: not the captures of an evaluation ({error!r})", hint="begin anew with --overwrite"
        ) from error


def _scored(row: dict[str, Any]) -> Scored:
    scores = SceneScores(str(row.pop("name")), dict(row.pop("scores")))
    gains = [math.nan if gain is None else float(gain) for gain in row.pop("gains")]  # JSON has no NaN
    return Scored(scores=scores, gains=gains, **row)


def _require_same(file: Path, then: Any, now: Mapping[str, Any]) -> None:
    if not isinstance(then, dict):
        raise FormatError(f"{file}: says not what was evaluated", hint="begin anew with --overwrite")
    for name in sorted(then.keys() | now.keys()):
        if then.get(name) != now.get(name):
            raise InputError(
                f"{file} is of another evaluation: {name} was {then.get(name)}, now {now.get(name)}",
                hint="repeat the command as it was, or begin anew with --overwrite or another --out",
            )
