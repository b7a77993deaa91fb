"""Hidden temporary entries that stand in for a result until it is whole: `.NAME.0.part`, `.NAME.1.part` and so on.

Whoever writes holds a shared lock (flock) on the entry, which the system drops when the process ends, however it ends.
An entry that nobody holds is what a killed process left; the next writer of the same name removes it. Where the file
system or the operating system has no such locks, nothing is ever removed.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recon.errors import ExportError
from recon.io.interrupts import interrupts_wait

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

SUFFIX = ".part"
MAX_WRITERS = 64
"""Processes that write the same result at the same time."""
MAX_NAME = 40


@dataclass
class Part:
    """A temporary entry of our own.

    Attributes:
        path: Where it is.
        is_moved: Whether it has got its final name.
    """

    path: Path
    is_moved: bool = False

    def move_to(self, target: Path) -> None:
        """Give it its final name, in the place of what has that name."""
        os.replace(self.path, target)
        self.is_moved = True


def is_part(path: Path) -> bool:
    """Whether the name is one of a temporary entry."""
    return path.name.startswith(".") and path.name.endswith(SUFFIX)


@contextmanager
def part_file(folder: Path, name: str) -> Iterator[Part]:
    """An empty temporary file of our own for a result of that name; removed at the end, if still there.

    Raises:
        OSError: The folder takes no file.
        ExportError: Too many others write the same.
    """
    with _part(folder, name, _create_file) as part:
        yield part


@contextmanager
def part_folder(folder: Path, name: str) -> Iterator[Part]:
    """As `part_file`, but an empty folder."""
    with _part(folder, name, os.mkdir) as part:
        yield part


def remove_stale(folder: Path, name: str) -> None:
    """Remove the temporary entries for a result of that name that killed processes left in a folder."""
    for number in range(MAX_WRITERS):
        _remove_if_stale(_part_path(folder, name, number))


@contextmanager
def _part(folder: Path, name: str, create: Callable[[Path], object]) -> Iterator[Part]:
    path, handle = _take(folder, name, create)
    part = Part(path)
    try:
        yield part
    finally:
        with interrupts_wait():
            if not part.is_moved:  # else the temporary name may already be another writer's
                _remove(path)
            if handle is not None:
                os.close(handle)


def _take(folder: Path, name: str, create: Callable[[Path], object]) -> tuple[Path, int | None]:
    """Create the first entry that is free, and hold it."""
    remove_stale(folder, name)
    for number in range(MAX_WRITERS):
        path = _part_path(folder, name, number)
        try:
            create(path)
        except FileExistsError:
            continue
        handle, is_ours = _hold(path)
        if is_ours:
            return path, handle
    raise ExportError(
        f"{folder / name}: {MAX_WRITERS} other processes write it now", hint="wait for them, or name another folder"
    )


def _hold(path: Path) -> tuple[int | None, bool]:
    """An open handle that holds the entry, if there are locks; and whether it is still the one that we created."""
    if fcntl is None:
        return None, True
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # taken for stale in the moment before it was held
        return None, False
    except OSError:
        _remove(path)
        raise
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None, False
    except OSError:  # a file system without locks; whoever looks for stale entries there cannot lock either
        return handle, True
    if _is_same(path, handle):
        return handle, True
    os.close(handle)
    return None, False


def _remove_if_stale(path: Path) -> None:
    """Remove an entry that no process holds; leave it if it is held, or if that cannot be known."""
    if fcntl is None or not os.path.lexists(path):
        return
    with contextlib.suppress(OSError):  # held (BlockingIOError), gone, of another user, or no locks here
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_same(path, handle):
                _remove(path)
        finally:
            os.close(handle)


def _is_same(path: Path, handle: int) -> bool:
    try:
        found = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(found, os.fstat(handle))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _create_file(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))


def _part_path(folder: Path, name: str, number: int) -> Path:
    return folder / f".{name[:MAX_NAME]}.{number}{SUFFIX}"
