"""Outputs that are either whole or absent."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recon.errors import ExportError

PART_SUFFIX = ".part"
# The file whose presence says that an output folder is complete: replaced last.
SIDECAR = "scene.json"


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give the path of a temporary file in the same folder, which takes the place of `path` at the end.

    On any error the temporary file is removed and `path` stays as it was.

    Raises:
        ExportError: The folder or the disk does not take the file.
    """
    temporary = path.with_name(_part_name(path.name))
    try:
        if path.is_dir():
            raise ExportError(f"{path}: is a folder, expected a file name")
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    except OSError as error:
        raise ExportError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def check_output(out: Path, overwrite: bool) -> None:
    """Raise unless results can be written to the folder `out`; meant to be called before any work begins.

    Raises:
        ExportError: `out` is a file, holds files and `overwrite` is False, or does not take a new file.
    """
    try:
        if out.exists() and not out.is_dir():
            raise ExportError(f"{out}: is a file, expected a folder")
        if out.is_dir() and not overwrite and any(not _is_part(entry) for entry in out.iterdir()):
            raise ExportError(
                f"{out}: already holds files", hint="name another folder, or pass --overwrite to replace the results"
            )
        place = _staging_place(out)
        while not place.exists():
            place = place.parent
        probe = place / _part_name("probe")
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise ExportError(
            f"{out}: cannot be written ({error.strerror or error})", hint="name a folder that you may write to"
        ) from error


@contextmanager
def staged_folder(out: Path, overwrite: bool) -> Iterator[Path]:
    """Give a hidden temporary folder whose files are moved to `out` once all of them are written.

    On any error before that the temporary folder is removed and `out` stays as it was. Files that `out` already holds
    are replaced only by files of the same name; all others stay. `scene.json` is taken away first and put back last,
    so that it never stands beside files of another run.

    Raises:
        ExportError: As `check_output`; or the disk does not take the files.
    """
    check_output(out, overwrite)
    try:
        place = _staging_place(out)
        place.mkdir(parents=True, exist_ok=True)
        staging = place / _part_name(out.name)
        staging.mkdir()
    except OSError as error:
        raise ExportError(f"{out}: cannot be written ({error.strerror or error})") from error
    try:
        yield staging
        _publish(staging, out)
    except OSError as error:
        raise ExportError(f"{out}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _publish(staging: Path, out: Path) -> None:
    files = sorted((p for p in staging.rglob("*") if p.is_file()), key=lambda p: (p == staging / SIDECAR, p))
    for file in files:
        _sync(file)
    if not out.exists():
        os.replace(staging, out)
        _sync(out.parent)
        return
    targets = [out / file.relative_to(staging) for file in files]
    for target in targets:
        if target.is_dir():
            raise ExportError(f"{target}: is a folder, a file of this name is to be written")
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
    if staging / SIDECAR in files:
        (out / SIDECAR).unlink(missing_ok=True)
    for file, target in zip(files, targets, strict=True):
        os.replace(file, target)
    for folder in {target.parent for target in targets}:
        _sync(folder)


def _staging_place(out: Path) -> Path:
    """Where the temporary folder goes: inside `out` if it exists, for it may be a mount point; else beside it."""
    return out if out.exists() else out.parent


def _part_name(name: str) -> str:
    return f".{name[:40]}.{secrets.token_hex(6)}{PART_SUFFIX}"


def _is_part(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(PART_SUFFIX)


def _sync(path: Path) -> None:
    """Make the content of a file, or the entries of a folder, survive a loss of power."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open folders
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
