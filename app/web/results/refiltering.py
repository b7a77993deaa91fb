"""`refilter` in a process of its own: a whole scene is read, and its memory is not the server's."""

import json
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from app.web.child import Children, answer_request, ask
from app.web.results.filtered import Filtered
from recon import errors
from recon.errors import ExportError, LimitError, ReconError, ResourceError

MODULE = "app.web.results.refiltering"


def refilter_apart(
    result: Path,
    out: Path,
    min_confidence: float,
    exports: Sequence[str],
    max_seconds: float,
    children: Children | None = None,
) -> Filtered:
    """As `refilter`.

    Args:
        result: Folder of a finished job.
        out: Folder for the files.
        min_confidence: Least opacity, 0..1.
        exports: Some of `FROM_GAUSSIANS`.
        max_seconds: Wall time that it may take.
        children: Told of the process.

    Raises:
        ReconError: Of the kinds that `refilter` raises.
        LimitError: It took too long.
        ResourceError: Memory ran out, or `children` were closed.
        ExportError: The process broke down.
    """
    places = {"result": str(result.resolve()), "out": str(out.resolve())}
    request = places | {"min_confidence": min_confidence, "exports": list(exports)}
    try:
        done = ask(MODULE, request, max_seconds, children)
    except subprocess.TimeoutExpired as error:
        raise LimitError(
            f"writing the files took longer than {max_seconds:g} s", hint="choose fewer kinds of files"
        ) from error
    if done.returncode == -signal.SIGKILL:
        raise ResourceError("the system ended the writing, most likely because memory ran out", hint="try again later")
    if done.returncode != 0:
        raise ExportError(f"writing the files broke down (exit code {done.returncode})", hint="try again")
    answered = json.loads(done.stdout)
    if "error" in answered:
        message = answered["message"].replace(f"{out.resolve().parent}/", "")
        raise getattr(errors, answered["error"])(message, hint=answered["hint"])
    return Filtered(out, answered["kept"], answered["total"])


def answer(request: str) -> str:
    """What the process answers to a request of `refilter_apart`."""
    from app.web.results.refilter import refilter

    content = json.loads(request)
    try:
        made = refilter(Path(content["result"]), Path(content["out"]), content["min_confidence"], content["exports"])
    except ReconError as error:
        return json.dumps({"error": type(error).__name__, "message": error.message, "hint": error.hint})
    return json.dumps({"kept": made.kept, "total": made.total})


if __name__ == "__main__":
    answer_request(answer)
