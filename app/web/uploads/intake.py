"""From uploaded files to the input folder of a job: sniffed, bounded, safely named; every refusal has its reason."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.web.limits import MIN_FREE_BYTES, WebLimits
from app.web.uploads.kinds import Family, Kind, kind_of
from recon.errors import InputError, LimitError, ReconError, ResourceError
from recon.io.archive import check_archive
from recon.io.names import safe_stem, unique_names
from recon.io.photographs.headers import read_header

FEWEST_PHOTOGRAPHS = 2
READ_BY_NATIVE_LIBRARIES = (".heic", ".webp")
"""Even the header of these is, so it is left to processes that may break."""
MAX_STEM_BYTES = 120
"""Of a name that is kept; file systems allow 255, and results have names made from it."""


@dataclass(frozen=True)
class Taken:
    """A file that is taken.

    Attributes:
        path: Where it lies.
        kind: What it is.
        name: That it gets in the folder of the job: harmless, and unique there.
    """

    path: Path
    kind: Kind
    name: str


@dataclass(frozen=True)
class Intake:
    """What becomes of uploads.

    Attributes:
        taken: In the order of the uploads.
        refused: Name of each other file, and why it is not taken.
    """

    taken: tuple[Taken, ...]
    refused: dict[str, str]

    @property
    def family(self) -> Family:
        """What the files are."""
        return self.taken[0].kind.family


def look_at(uploads: Sequence[Path], limits: WebLimits) -> Intake:
    """Decide what is taken; nothing is copied, and no picture decoded.

    Photographs that cannot be used are left out, with the reason. Whatever makes the whole useless is an error.

    Raises:
        LimitError: Too many files, or too many bytes in all.
        InputError: No file, too few photographs, or kinds that do not go together.
    """
    if not uploads:
        raise InputError("no file was uploaded", hint="choose photographs, a video or a zip archive")
    if len(uploads) > limits.input.max_photographs:
        raise LimitError(
            f"{len(uploads)} files, at most {limits.input.max_photographs} are allowed", hint="choose fewer photographs"
        )
    _require_total(uploads, limits)
    kinds: list[tuple[Path, Kind]] = []
    refused: dict[str, str] = {}
    for path, shown in zip(uploads, unique_names(path.name for path in uploads), strict=True):
        try:
            kind = kind_of(path)
            _check(path, kind, limits)
            kinds.append((path, kind))
        except ReconError as error:
            refused[shown] = _reason(error, path)
    _require_whole([kind for _, kind in kinds], refused)
    names = unique_names(f"{_short(safe_stem(path.name))}{kind.suffix}" for path, kind in kinds)
    return Intake(tuple(Taken(path, kind, name) for (path, kind), name in zip(kinds, names, strict=True)), refused)


def require_disk(intake: Intake, folder: Path) -> None:
    """Raise ResourceError unless the disk of a folder has room for what is taken and for results."""
    try:
        needed = sum(taken.path.stat().st_size for taken in intake.taken) + MIN_FREE_BYTES
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise ResourceError(
            f"the room on the server's disk is not known ({error.strerror or error})", hint="upload the files again"
        ) from error
    if free < needed:
        raise ResourceError(
            f"the job needs about {needed / 1e6:,.0f} MB on the server's disk, {free / 1e6:,.0f} MB are free",
            hint="use fewer photographs, or try again when other jobs are over",
        )


def take_in(intake: Intake, folder: Path) -> tuple[str, ...]:
    """Copy what is taken into an empty folder; the names there.

    Raises:
        ResourceError: The disk does not take the files.
    """
    try:
        for taken in intake.taken:
            with taken.path.open("rb") as source, (folder / taken.name).open("xb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
    except OSError as error:
        raise ResourceError(
            f"the uploads cannot be kept ({error.strerror or error})", hint="make room on the server's disk"
        ) from error
    return tuple(taken.name for taken in intake.taken)


def _check(path: Path, kind: Kind, limits: WebLimits) -> None:
    """What can be told of one file without decoding it."""
    num_bytes = path.stat().st_size
    allowed = limits.input.max_file_bytes if kind.family == "image" else limits.input.max_video_bytes
    if kind.family == "archive":
        allowed = limits.max_upload_bytes
    if num_bytes > allowed:
        raise LimitError(f"{num_bytes:,} bytes, at most {allowed:,} are allowed")
    if kind.family == "archive":
        check_archive(path, limits=limits.input)
    if kind.family == "image" and kind.suffix not in READ_BY_NATIVE_LIBRARIES:
        with path.open("rb") as file:
            read_header(file, path.with_suffix(kind.suffix), limits=limits.input)


def _require_total(uploads: Sequence[Path], limits: WebLimits) -> None:
    try:
        total = sum(path.stat().st_size for path in uploads)
    except OSError as error:
        raise InputError("an uploaded file is gone", hint="upload the files again") from error
    if total > limits.max_upload_bytes:
        raise LimitError(
            f"{total:,} bytes in all, at most {limits.max_upload_bytes:,} are allowed",
            hint="choose fewer or smaller files",
        )


def _require_whole(kinds: Sequence[Kind], refused: dict[str, str]) -> None:
    """Raise InputError unless this is one video, one archive, or two or more photographs."""
    reasons = "".join(f"\n  {name}: {reason}" for name, reason in refused.items())
    families = {kind.family for kind in kinds}
    if len(families) > 1 or (families and families != {"image"} and len(kinds) > 1):
        raise InputError(
            f"{len(kinds)} files that do not go together{reasons}",
            hint="upload photographs, or one video, or one zip archive",
        )
    if not kinds or (families == {"image"} and len(kinds) < FEWEST_PHOTOGRAPHS):
        raise InputError(
            f"{len(kinds)} of {len(kinds) + len(refused)} files can be used, "
            f"expected at least {FEWEST_PHOTOGRAPHS} photographs of the same place, a video or a zip archive{reasons}",
            hint="take more photographs from places some steps apart",
        )


def _short(stem: str) -> str:
    return stem.encode()[:MAX_STEM_BYTES].decode(errors="ignore")


def _reason(error: ReconError, path: Path) -> str:
    """The error in one line, without the place of the file on the server."""
    words = f"{error.message}; {error.hint}" if error.hint else error.message
    words = words.replace(f"{path.parent}/", "")
    return re.sub(rf"^{re.escape(path.stem)}\.\w+: ", "", words)
