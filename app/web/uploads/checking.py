"""Uploads looked at before a job, in a process of its own: decoders of pictures do not run in the server."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

from app.web.child import Children, ask, be_the_first_to_go
from app.web.limits import WebLimits
from app.web.uploads.checks import PhotographWarning, about_broken, warnings_about
from app.web.uploads.intake import Intake
from recon.errors import FormatError, LimitError
from recon.io.limits import Limits

MODULE = "app.web.uploads.checking"
THUMBNAIL = 512


def check_uploads(intake: Intake, limits: WebLimits, children: Children | None = None) -> list[PhotographWarning]:
    """What looks wrong with photographs; a video or an archive is not looked into.

    Raises:
        FormatError: A photograph broke the decoder.
        LimitError: Looking took too long.
        ResourceError: `children`, who are told of the process, were closed.
    """
    if intake.family != "image":
        return []
    small = replace(limits.input, max_long_side=THUMBNAIL)
    files = [[str(taken.path), taken.kind.suffix, taken.name] for taken in intake.taken]
    try:
        done = ask(MODULE, {"files": files, "limits": asdict(small)}, limits.max_check_seconds, children)
    except subprocess.TimeoutExpired as error:
        raise LimitError(f"looking at the photographs took longer than {limits.max_check_seconds:g} s") from error
    if done.returncode != 0:
        raise FormatError("a photograph broke the decoder", hint="save the photographs again as JPEG")
    return [
        PhotographWarning(row["kind"], row["words"], tuple(row["names"])) for row in json.loads(done.stdout)["warnings"]
    ]


def answer(request: str) -> str:
    """What the process answers to a request of `check_uploads`."""
    from recon.errors import ReconError
    from recon.io.photographs.images import decode_photograph

    content = json.loads(request)
    limits = Limits(**content["limits"])
    photographs, broken = [], []
    for path, suffix, name in content["files"]:
        try:
            with Path(path).open("rb") as file:
                decoded = decode_photograph(file, Path(path).with_suffix(suffix), limits=limits)
            photographs.append(replace(decoded, name=name))
        except ReconError:
            broken.append(name)
    found = [*about_broken(broken), *warnings_about(photographs)]
    return json.dumps({"warnings": [warning.to_json() for warning in found]})


def main() -> None:
    """Answer the request on standard input."""
    be_the_first_to_go()
    sys.stdout.write(answer(sys.stdin.read()))


if __name__ == "__main__":
    main()
