"""`scripts/benchmark`: run a benchmark and print its figures."""

import sys
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from app.benchmarks.scenes import find_captures
from app.commands.tables import outline
from app.console import json_line, log_to_stderr, parse, reporting_errors

PROGRAM = "scripts/benchmark"
DESCRIPTION = "Measure quality of new views, of poses, the speed of the rasteriser, or of the networks at full size."


def main(argv: list[str] | None = None) -> int:
    """Run one benchmark and return the exit code."""
    words = sys.argv[1:] if argv is None else argv
    log_to_stderr()
    return reporting_errors(lambda: _run(words), as_json="--json" in words)


def _run(words: list[str]) -> int:
    parsed = parse(_parser(), words, PROGRAM)
    arguments = parsed[parsed.benchmark]
    figures = {"nvs": _nvs, "poses": _poses, "raster": _raster, "full_size": _full_size}[parsed.benchmark](arguments)
    print(json_line(figures) if arguments.json else "\n".join(outline(figures)))
    return 0


def _nvs(arguments: Namespace) -> dict[str, Any]:
    from app.benchmarks import nvs
    from models.ilrm.nano.reconstructor import NanoReconstructor

    return nvs.run(find_captures(_folders(arguments)), NanoReconstructor(arguments.weights), arguments.refine)


def _poses(arguments: Namespace) -> dict[str, Any]:
    from app.benchmarks import poses

    return poses.run(find_captures(_folders(arguments)), arguments.views)


def _raster(arguments: Namespace) -> dict[str, Any]:
    from app.benchmarks import raster

    return raster.run(arguments.rounds)


def _full_size(arguments: Namespace) -> dict[str, Any]:
    from app.benchmarks import full_size

    return full_size.run()


def _folders(arguments: Namespace) -> list[Path]:
    return [Path(folder) for folder in arguments.scenes]


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog=PROGRAM, description=DESCRIPTION, exit_on_error=False, allow_abbrev=False)
    subcommands = parser.add_subcommands(dest="benchmark", required=True)
    helps = {
        "nvs": "PSNR and SSIM of views that the network has not seen.",
        "poses": "Registered photographs and pose errors.",
        "raster": "Seconds of the CPU rasteriser, beside a matrix product of the same run.",
        "full_size": "One training step of the published iLRM at full size: parameters, seconds, memory.",
    }
    for name, text in helps.items():
        subparser = ArgumentParser(description=text, exit_on_error=False, allow_abbrev=False)
        if name in ("nvs", "poses"):
            subparser.add_argument(
                "--scenes", nargs="+", required=True, metavar="DIR", help="Captures, or folders that hold captures."
            )
        subparser.add_argument("--json", action="store_true", help="Print one JSON object.")
        subcommands.add_subcommand(name, subparser, help=text)
        if name == "nvs":
            subparser.add_argument("--weights", default="ilrm-nano", help="Folder or name of the weights.")
            subparser.add_argument("--refine", type=int, help="Steps of refinement; by default the balanced preset's.")
        elif name == "poses":
            subparser.add_argument("--views", type=int, default=8, help="Photographs of each capture, evenly spread.")
        elif name == "raster":
            subparser.add_argument("--rounds", type=int, default=20, help="Repeats; the fastest counts.")
    return parser


if __name__ == "__main__":
    sys.exit(main())
