"""`recon reconstruct`: photographs to a 3D scene."""

import logging
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from docstring_parser import parse
from jsonargparse import ArgumentParser, Namespace

from app.commands.tables import scene_table
from app.console import json_line
from app.options import ReconstructOptions
from recon.io.interrupts import interrupts_wait

if TYPE_CHECKING:
    from recon.pipeline.reconstruct import Result

HELP = "Turn photographs into camera poses, 3D Gaussians and a video."


def add_arguments(parser: ArgumentParser) -> None:
    """The fields of `ReconstructOptions`, and how to report."""
    helps = {entry.arg_name: entry.description for entry in parse(ReconstructOptions.__doc__ or "").params}
    default_exports = ",".join(ReconstructOptions.export)
    parser.add_argument("input", nargs="+", help=helps["input"])
    parser.add_argument("-o", "--out", required=True, help=helps["out"])
    parser.add_class_arguments(
        ReconstructOptions, skip={"input", "out", "export", "overwrite", "resume", "refine_poses"}
    )
    parser.add_argument("--export", default=default_exports, metavar="NAMES", help=helps["export"])
    parser.add_argument("--refine_poses", action="store_true", help=helps["refine_poses"])
    parser.add_argument("--resume", action="store_true", help=helps["resume"])
    parser.add_argument("--overwrite", action="store_true", help=helps["overwrite"])
    parser.add_argument("--json", action="store_true", help="Print one JSON object instead of a table.")
    parser.add_argument("--quiet", action="store_true", help="No progress lines.")


def run(arguments: Namespace) -> int:
    """Reconstruct, then print what was written."""
    if arguments.quiet:
        logging.getLogger("recon").setLevel(logging.WARNING)
    with interrupts_wait():  # while they are imported, some libraries swallow Ctrl-C or turn it into other errors
        from app import reconstruct

    options = options_from(arguments)
    result = reconstruct(options)
    print(json_line(as_json(options.out, result)) if arguments.json else scene_table(options.out, result))
    return 0


def options_from(arguments: Namespace) -> ReconstructOptions:
    """The options that the command line names."""
    values = {field.name: arguments[field.name] for field in fields(ReconstructOptions)}
    exports = tuple(name.strip() for name in arguments.export.split(",") if name.strip())
    names = arguments.input
    source = names[0] if len(names) == 1 else tuple(Path(name) for name in names)
    return ReconstructOptions(**values | {"input": source, "out": Path(arguments.out), "export": exports})


def as_json(out: Path, result: "Result") -> dict:
    """The result as one JSON object."""
    files = [{"path": str(path), "bytes": path.stat().st_size} for path in result.files]
    return {"out": str(out), "files": files, "report": result.report}
