"""The same job as a command, to be copied."""

import shlex
from pathlib import Path

from app.options import ReconstructOptions
from app.web.jobs.settings import JobSettings
from app.web.uploads.kinds import Family

INPUTS: dict[Family, str] = {"image": "photos", "video": "video.mp4", "archive": "photos.zip"}
OUT = "scene"


def command_line(settings: JobSettings, family: Family = "image") -> str:
    """`recon reconstruct ...` with every option that is not the default of the command line.

    Args:
        settings: Of the job.
        family: What was uploaded; it gets a name that stands for the person's own.
    """
    options = settings.to_options(Path(INPUTS[family]), Path(OUT))
    words = ["recon", "reconstruct", INPUTS[family], "-o", OUT]
    for name in ("poses", "quality", "views", "fps", "seed"):
        value = getattr(options, name)
        if value != getattr(ReconstructOptions, name):
            words += [f"--{name}", f"{value:g}" if isinstance(value, float) else str(value)]
    if options.export != ReconstructOptions.export:
        words += ["--export", ",".join(options.export)]
    return shlex.join(words)
