"""A finished job, as the tabs of the page read it."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from app.web.engine import Engine
from app.web.jobs.events import Done, Made
from app.web.jobs.work import RESULT
from app.web.results.downloads import Download

SCENE_JSON = "scene.json"


@dataclass(frozen=True)
class Finished:
    """What is known of a job that is done.

    Attributes:
        id: Of the job.
        folder: Of the job.
        views: Of each photograph that was placed, its name, pictures and likeness; see `app.web.results.pictures`.
        seconds: Wall time.
        downloads: Files of the result.
        command: The same job as a command.
        refused: Uploaded files that were not taken, and why.
    """

    id: str
    folder: Path
    views: tuple[dict[str, Any], ...]
    seconds: float
    downloads: tuple[Download, ...]
    command: str
    refused: dict[str, str]

    @cached_property
    def record(self) -> dict[str, Any]:
        """What `scene.json` says."""
        return json.loads((self.folder / RESULT / SCENE_JSON).read_bytes())

    @property
    def report(self) -> dict[str, Any]:
        """What was measured."""
        return self.record["report"]

    def has(self, name: str) -> bool:
        """Whether the result holds a file of that name."""
        return any(download.name == name for download in self.downloads)

    def address(self, name: str) -> str:
        """Where the browser finds a file of the job, such as "result/turntable.mp4"; relative to the page."""
        return address(self.id, name)


def address(job: str, name: str) -> str:
    """Where the browser finds a file of a job; relative to the page."""
    return f"jobs/{quote(job)}/files/{quote(name)}"


def finished(engine: Engine, job: str) -> Finished | None:
    """The job, if it is done.

    Raises:
        InputError: There is no such job, or no longer.
    """
    status = engine.status(job)
    if status.state != "done":
        return None
    views: tuple[dict[str, Any], ...] = ()
    seconds = 0.0
    for event in engine.events(job):
        if isinstance(event, Made) and event.what == "pictures":
            views = tuple(event.facts["views"])
        if isinstance(event, Done):
            seconds = event.seconds
    downloads = tuple(engine.downloads(job))
    return Finished(job, engine.folder(job), views, seconds, downloads, engine.command_line(job), status.refused)
