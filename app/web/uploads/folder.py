"""The folder of uploads while the page is served: nothing that was begun, or forgotten, stays in it for long."""

import contextlib
import logging
import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from recon.io.part_entries import part_folder

log = logging.getLogger(__name__)

NAME = "recon-uploads"
SECONDS_KEPT = 3600.0
"""That an upload is kept after it came, or after its draft was last changed."""
SECONDS_FOR_A_PART = 600.0
"""That what came of a file is kept after its last byte: a connection that is silent for so long is gone."""
SECONDS_BETWEEN_SWEEPS = 60.0
_IN_USE: list[Path] = []


@contextlib.contextmanager
def upload_folder() -> Iterator[Path]:
    """A folder that is swept until the end of the block, and then goes.

    Servers of one process share it, for Gradio looks up in the environment where it is.
    """
    if _IN_USE:
        yield _IN_USE[0]
        return
    with part_folder(Path(tempfile.gettempdir()), NAME) as part:
        part.path.chmod(0o700)
        _IN_USE.append(part.path)
        try:
            with _swept(part.path):
                yield part.path
        finally:
            _IN_USE.clear()


def sweep(folder: Path, now: float) -> int:
    """Remove files that nobody touched in a while; how many.

    Gradio writes what comes in as files of this folder, and moves each that is complete into a folder below it. Where
    the browser goes away in between, the part stays behind, and Gradio has forgotten it.

    Args:
        folder: Of uploads.
        now: As `time.time` tells it.
    """
    num = 0
    for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder comes before the folder
        kept = SECONDS_FOR_A_PART if path.parent == folder and not path.is_dir() else SECONDS_KEPT
        with contextlib.suppress(OSError):  # gone already, or a folder that still holds something
            if now - path.lstat().st_mtime <= kept:
                continue
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink()
                num += 1
    return num


def is_upload(path: Path) -> bool:
    """Whether a file lies in the folder of uploads."""
    return any(path.is_relative_to(folder) for folder in _IN_USE)


def keep(uploads: Iterable[Path]) -> None:
    """Let the files of a draft live on; those that are in no folder of uploads are left alone."""
    for path in uploads:
        if is_upload(path):
            with contextlib.suppress(OSError):  # gone: the job that wants it says so
                os.utime(path)


@contextlib.contextmanager
def _swept(folder: Path) -> Iterator[None]:
    closing = threading.Event()

    def again_and_again() -> None:
        while not closing.wait(SECONDS_BETWEEN_SWEEPS):
            num = sweep(folder, time.time())
            if num:
                log.info("%d forgotten files of uploads were removed", num)

    sweeper = threading.Thread(target=again_and_again, name="upload sweeper", daemon=True)
    sweeper.start()
    try:
        yield
    finally:
        closing.set()
        sweeper.join()
