"""What can be downloaded of a finished job: every file with its size, and all of them in one archive."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

from recon.errors import InputError
from recon.io.atomic import atomic_write
from recon.io.recorded_files import recorded_files

ARCHIVE = "scene.zip"
ALREADY_PACKED = (".png", ".jpg", ".mp4", ".spz")


@dataclass(frozen=True)
class Download:
    """One file.

    Attributes:
        name: Relative to the folder of the results.
        path: On the server.
        num_bytes: Its size.
    """

    name: str
    path: Path
    num_bytes: int


def list_downloads(result: Path) -> list[Download]:
    """The files that `scene.json` names, and itself; nothing else, whatever the folder holds.

    Raises:
        InputError: There is no `scene.json`.
    """
    sidecar = result / "scene.json"
    if not sidecar.is_file():
        raise InputError("there are no results yet", hint="wait until the job is done")
    paths = [*recorded_files(result), sidecar]
    return [Download(path.relative_to(result).as_posix(), path, path.stat().st_size) for path in paths]


def archive_of(result: Path, target: Path) -> Download:
    """All files in one zip archive, below one folder named `scene`; made once.

    Args:
        result: Folder of the results.
        target: Folder for the archive, which is not that of the results.

    Raises:
        InputError: There are no results.
        ExportError: The disk does not take the archive.
    """
    downloads, path = list_downloads(result), target / ARCHIVE
    if not path.is_file():
        with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
            for download in downloads:
                packed = download.path.suffix in ALREADY_PACKED
                method = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
                archive.write(download.path, f"scene/{download.name}", method, 1)
    return Download(ARCHIVE, path, path.stat().st_size)
