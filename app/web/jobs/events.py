"""What happens to a job, as typed events; a worker writes them as JSON, one a line."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from app.web import texts
from recon.errors import FormatError, ReconError, ResourceError
from recon.io.json_file import plain

MAX_LINE_BYTES = 4 * 1024 * 1024
"""Many times what names and facts of 200 photographs take."""


@dataclass(frozen=True)
class Waiting:
    """Others are before it.

    Attributes:
        position: 1 for the next.
    """

    position: int


@dataclass(frozen=True)
class Started:
    """A worker took it."""


@dataclass(frozen=True)
class Progress:
    """See `recon.pipeline.progress.ProgressEvent`.

    Attributes:
        stage: Key of the stage, as in `STAGES`.
        message: In words.
        fraction: Part of the whole job that is done, 0..1, if known.
        seconds_left: About how long it still takes, if known.
    """

    stage: str
    message: str
    fraction: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True)
class Made:
    """An intermediate result can be shown.

    Attributes:
        what: "poses", "gaussians", "refinement" or "pictures".
        files: Relative to the folder of the job.
        facts: Measured facts, ready for JSON.
    """

    what: str
    files: tuple[str, ...]
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """The results are complete, in the folder `result` of the job.

    Attributes:
        files: Relative to the folder of the job.
        seconds: Wall time of the worker.
    """

    files: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Failed:
    """It ended without a result.

    Attributes:
        kind: Name of the class of `recon.errors`, or "InternalError".
        message: What was found and what was expected.
        hint: What to do.
    """

    kind: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Cancelled:
    """Somebody cancelled it; its worker and its files are gone."""


Event = Waiting | Started | Progress | Made | Done | Failed | Cancelled
LAST = (Done, Failed, Cancelled)
"""After one of these nothing more happens."""
_KINDS: dict[str, type[Event]] = {
    kind.__name__.lower(): kind for kind in (Waiting, Started, Progress, Made, Done, Failed, Cancelled)
}


def to_line(event: Event) -> str:
    """One line of JSON without its end."""
    return json.dumps({"event": type(event).__name__.lower()} | plain(asdict(event)), allow_nan=False)


def from_line(line: str | bytes) -> Event:
    """What `to_line` wrote.

    Raises:
        FormatError: It is something else.
    """
    try:
        content = json.loads(line)
        kind = _KINDS[content.pop("event")]
        named: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in content.items()
        }
        if not named.keys() <= {part.name for part in fields(kind)}:
            raise ValueError(f"{kind.__name__} has no {sorted(named)}")
        return kind(**named)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FormatError(f"not an event of a job: {line[:80]!r} ({error!r})") from error


def failure(error: ReconError) -> Failed:
    """The event that tells an error; options of the command line are no help on a page."""
    names_options = isinstance(error, ResourceError) and "--" in error.hint
    return Failed(type(error).__name__, error.message, texts.LESS_WORK if names_options else error.hint)
