"""Outputs that are either whole or absent."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recon.errors import ExportError
from recon.io.interrupts import interrupts_wait
from recon.io.part_entries import Part, is_part, part_file, part_folder, remove_stale

# The file whose presence says that an output folder is complete: replaced last.
SIDECAR = "scene.json"


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give the path of a temporary file in the same folder, which takes the place of `path` at the end.

    On any error the temporary file is removed and `path` stays as it was. What killed processes left of earlier tries
    to write `path` is removed.

    Raises:
        ExportError: The folder or the disk does not take the file.
    """
    try:
        if path.is_dir():
            raise ExportError(f"{path}: is a folder, expected a file name")
        with part_file(path.parent, path.name) as part:
            yield part.path
            _sync(part.path)
            part.move_to(path)
            _sync(path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from error


def check_output(out: Path, overwrite: bool, *, expected_bytes: int = 0) -> None:
    """Raise unless results can be written to the folder `out`; meant to be called before any work begins.

    Args:
        out: Folder of the results.
        overwrite: Whether it may hold files.
        expected_bytes: About how much the results will take.

    Raises:
        ExportError: `out` is a file, holds files and `overwrite` is False, does not take a new file, or its disk has
            less room than expected.
    """
    try:
        if out.exists() and not out.is_dir():
            raise ExportError(f"{out}: is a file, expected a folder")
        if out.is_dir() and not overwrite and any(not is_part(entry) for entry in out.iterdir()):
            raise ExportError(
                f"{out}: already holds files", hint="name another folder, or pass --overwrite to replace the results"
            )
        place = _staging_place(out)
        while not place.exists():
            place = place.parent
        with part_file(place, "probe"):
            free = shutil.disk_usage(place).free
    except OSError as error:
        raise _cannot_write(out, error) from error
    if free < expected_bytes:
        raise ExportError(
            f"{out}: the results take about {expected_bytes / 1e6:,.0f} MB, its disk has {free / 1e6:,.0f} MB left",
            hint="make room, name a folder on another disk, or ask for fewer or smaller views",
        )


@contextmanager
def staged_folder(out: Path, overwrite: bool, *, sidecar: str = SIDECAR) -> Iterator[Path]:
    """Give a hidden temporary folder whose files are moved to `out` once all of them are written.

    On any error before that, Ctrl-C included, the temporary folder is removed and `out` stays as it was. Files that
    `out` already holds are replaced only by files of the same name; all others stay. The file `sidecar` is taken away
    first and put back last, so that it never stands beside files of another run. What killed runs left of earlier tries
    to write `out` is removed.

    Raises:
        ExportError: As `check_output`; or the disk does not take the files.
    """
    check_output(out, overwrite)
    try:
        place = _staging_place(out)
        place.mkdir(parents=True, exist_ok=True)
        remove_stale(out.parent, out.name)  # of a run that was killed before `out` was there
        with part_folder(place, out.name) as part:
            yield part.path
            check_output(out, overwrite)  # another run may have been there in the meantime
            _publish(part, out, sidecar)
    except OSError as error:
        raise _cannot_write(out, error) from error


def _publish(part: Part, out: Path, sidecar: str) -> None:
    staging = part.path
    files = sorted((p for p in staging.rglob("*") if p.is_file()), key=lambda p: (p == staging / sidecar, p))
    for file in files:
        _sync(file)
    with interrupts_wait():
        if out.exists():
            _move_into(out, staging, files, sidecar)
        else:
            part.move_to(out)
            _sync(out.parent)


def _move_into(out: Path, staging: Path, files: list[Path], sidecar: str) -> None:
    """Move files to the same places below `out`; the last of them says that the folder is complete."""
    targets = [out / file.relative_to(staging) for file in files]
    for target in targets:
        if target.is_dir():
            raise ExportError(f"{target}: is a folder, a file of this name is to be written")
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
    if staging / sidecar in files:
        (out / sidecar).unlink(missing_ok=True)
    for file, target in zip(files, targets, strict=True):
        os.replace(file, target)
    for folder in {target.parent for target in targets}:
        _sync(folder)


def _staging_place(out: Path) -> Path:
    """Where the temporary folder goes: inside `out` if it exists, for it may be a mount point; else beside it."""
    return out if out.exists() else out.parent


HINTS = {
    errno.ENOSPC: "make room on the disk, or name a folder on another one",
    errno.EDQUOT: "make room within your quota, or name a folder on another disk",
    errno.EFBIG: "the file would be larger than allowed here (ulimit -f, or the file system); name another folder",
    errno.EROFS: "name a folder that you may write to",
    errno.EACCES: "name a folder that you may write to",
}


def _cannot_write(path: Path, error: OSError) -> ExportError:
    hint = HINTS.get(error.errno or 0, "name another folder")
    return ExportError(f"{path}: cannot be written ({error.strerror or error})", hint=hint)


def _sync(path: Path) -> None:
    """Make the content of a file, or the entries of a folder, survive a loss of power."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open folders
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
