"""What a worker does: the job as the server wrote it down, handed to the public call."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.web.jobs.events import Event
from app.web.jobs.settings import JobSettings
from app.web.jobs.worker import INPUT
from recon.errors import FormatError
from recon.io.json_file import read_json, write_json
from recon.io.limits import Limits

JOB, RESULT, PREVIEW = "job.json", "result", "preview"


def write_job(folder: Path, sources: tuple[str, ...], settings: JobSettings, limits: Limits) -> None:
    """Write `job.json` for a worker.

    Args:
        folder: Of the job.
        sources: Names of files in `folder`/input, in their order.
        settings: What was chosen.
        limits: Bounds on the input.
    """
    content = {"sources": list(sources), "settings": settings.to_json(), "limits": asdict(limits)}
    write_json(folder / JOB, content)


def read_job(folder: Path) -> tuple[tuple[str, ...], JobSettings, Limits]:
    """What `write_job` wrote.

    Raises:
        FormatError: A field is missing or of another type.
    """
    content = read_json(folder / JOB)
    try:
        sources = tuple(_name(name) for name in content["sources"])
        return sources, JobSettings.from_json(content["settings"]), Limits(**content["limits"])
    except (KeyError, TypeError) as error:
        raise FormatError(f"{JOB}: a field is missing or of another type ({error!r})") from error


def reconstruct_job(tell: Callable[[Event], None]) -> list[str]:
    """Run the job whose folder is the working directory.

    Args:
        tell: Told progress and intermediate results.

    Returns:
        The files that were made, relative to the folder.

    Raises:
        ReconError: Of the kind that fits.
    """
    from app import reconstruct
    from app.web.jobs.previews import PreviewObserver

    sources, settings, limits = read_job(Path())
    paths = tuple(Path(INPUT, name) for name in sources)
    # One file is a video, an archive or a lone photograph, which is told by what it is.
    options = settings.to_options(paths[0] if len(paths) == 1 else paths, Path(RESULT))
    observer = PreviewObserver(Path(PREVIEW), tell)
    result = reconstruct(options, observer=observer, limits=limits)
    observer.finished(result.scene)
    return [str(path) for path in result.files]


def _name(value: Any) -> str:
    if not isinstance(value, str) or Path(value).name != value:
        raise TypeError(f"{value!r} is not the name of a file")
    return value
