"""Uploads looked at before a job, in a process of its own: decoders of pictures do not run in the server.

What looks at them is imported where it is used, for the server imports this file and needs none of it.
"""

import json
import signal
import subprocess
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from app.web.child import Children, answer_request, ask
from app.web.limits import WebLimits
from app.web.uploads.folder import is_upload
from app.web.uploads.intake import Intake, Taken
from app.web.uploads.kinds import Family
from app.web.uploads.thumbnails import UNSEEN, thumbnail_of, write_thumbnail
from app.web.uploads.warning import PhotographWarning
from recon.errors import ExportError, FormatError, LimitError, ReconError, ResourceError
from recon.io.limits import Limits

MODULE = "app.web.uploads.checking"


def check_uploads(intake: Intake, limits: WebLimits, children: Children | None = None) -> list[PhotographWarning]:
    """What looks wrong with photographs, and what a video or an archive says of itself.

    Of photographs that browsers do not show, thumbnails are written beside them, if they lie in the folder of uploads.

    Raises:
        FormatError: A file broke the decoder.
        LimitError: Looking took too long.
        ResourceError: Memory ran out, or `children`, who are told of the process, were closed.
    """
    files = [[str(taken.path), taken.kind.suffix, taken.name, _thumbnail(taken)] for taken in intake.taken]
    request = {"family": intake.family, "files": files, "limits": asdict(limits.input)}
    try:
        done = ask(MODULE, request, limits.max_check_seconds, children)
    except subprocess.TimeoutExpired as error:
        raise LimitError(f"looking at the files took longer than {limits.max_check_seconds:g} s") from error
    if done.returncode == -signal.SIGKILL:
        raise ResourceError("the system ended the look at the files, most likely because memory ran out")
    if done.returncode != 0:
        raise FormatError("a file broke the decoder", hint="save it again, photographs as JPEG, videos as MP4")
    return [
        PhotographWarning(row["kind"], row["words"], tuple(row["names"])) for row in json.loads(done.stdout)["warnings"]
    ]


def answer(request: str) -> str:
    """What the process answers to a request of `check_uploads`."""
    content = json.loads(request)
    limits = Limits(**content["limits"])
    found = _about_photographs if content["family"] == "image" else _about_one
    warnings = found(content["family"], content["files"], limits)
    return json.dumps({"warnings": [warning.to_json() for warning in warnings]})


def _thumbnail(taken: Taken) -> str | None:
    is_wanted = taken.kind.suffix in UNSEEN and is_upload(taken.path) and not thumbnail_of(taken.path).exists()
    return str(thumbnail_of(taken.path)) if is_wanted else None


def _about_photographs(family: Family, files: list[list], limits: Limits) -> list[PhotographWarning]:
    from app.web.uploads.checks import LONG_SIDE, about_broken, warnings_about
    from recon.io.photographs.images import decode_photograph

    photographs, broken = [], []
    for path, suffix, name, thumbnail in files:
        try:
            with Path(path).open("rb") as file:
                small = replace(limits, max_long_side=LONG_SIDE)
                decoded = decode_photograph(file, Path(path).with_suffix(suffix), limits=small)
        except ReconError:
            broken.append(name)
            continue
        photographs.append(replace(decoded, name=name))
        if thumbnail is not None:
            with suppress(ExportError):  # without one, the photograph is shown by its name
                write_thumbnail(Path(thumbnail), decoded.pixels)
    return [*about_broken(broken), *warnings_about(photographs)]


def _about_one(family: Family, files: list[list], limits: Limits) -> list[PhotographWarning]:
    """Of a video or an archive."""
    from app.web.uploads.contents import about_archive, about_video

    path, _, name, _ = files[0]
    try:
        return about_video(Path(path), limits) if family == "video" else about_archive(Path(path), limits)
    except ReconError as error:
        words = error.message.replace(f"{path}: ", "")
        return [PhotographWarning("broken", f"{name}: {words}.", (name,))]


if __name__ == "__main__":
    answer_request(answer)
