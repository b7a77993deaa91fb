"""`scripts/benchmark_blocks`: how fast the layers are, how well a small network learns with them, and the tables."""

import sys
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from app.console import json_line, log_to_stderr, parse, reporting_errors

PROGRAM = "scripts/benchmark_blocks"
DESCRIPTION = "Measure the exchangeable layers: speed at full width, quality of a small network, tables and plots."


def main(argv: list[str] | None = None) -> int:
    """Run one command and return the exit code."""
    words = sys.argv[1:] if argv is None else argv
    log_to_stderr()
    return reporting_errors(lambda: _run(words), as_json="--json" in words)


def _run(words: list[str]) -> int:
    parsed = parse(_parser(), words, PROGRAM)
    return {"speed": _speed, "quality": _quality, "others": _others, "report": _report}[parsed.command](
        parsed[parsed.command]
    )


def _speed(arguments: Namespace) -> int:
    from app.benchmarks.blocks.layers import FULL, TINY
    from app.benchmarks.blocks.speed import SpeedOptions, run
    from app.benchmarks.blocks.speed_table import speed_markdown

    options = SpeedOptions(
        only=tuple(arguments.only),
        precisions=tuple(arguments.precisions),
        threads=tuple(arguments.threads),
        rounds=arguments.rounds,
        warm_up=arguments.warm_up,
        memory=not arguments.no_memory,
    )
    figures = run(options, TINY if arguments.tiny else FULL)
    text = speed_markdown(figures)
    if arguments.out is not None:
        _write_speed(Path(arguments.out), figures, text)
    print(json_line(figures) if arguments.json else text)
    return 0


def _write_speed(folder: Path, figures: dict[str, Any], text: str) -> None:
    from recon.io.atomic import atomic_write
    from recon.io.json_file import write_json

    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "speed.json", figures)
    with atomic_write(folder / "speed.md") as part:
        part.write_text(text, encoding="utf-8")


def _quality(arguments: Namespace) -> int:
    from app.benchmarks.blocks.quality import QualityOptions, run

    options = QualityOptions(
        data=arguments.data,
        out=arguments.out,
        only=tuple(arguments.only),
        minutes=arguments.minutes,
        processes=arguments.processes,
        study=arguments.study,
        control_rate=arguments.control_rate,
    )
    counts = run(options)
    words = f"{counts['made']} runs made, {counts['done']} are there, {counts['missing']} are missing"
    print(json_line(counts) if arguments.json else words)
    return 0


def _others(arguments: Namespace) -> int:
    from app.benchmarks.blocks.others.catalogue import run

    counts = run(Path(arguments.data), Path(arguments.out), tuple(arguments.only), arguments.study)
    words = f"{counts['made']} measured now, {counts['done']} are there"
    print(json_line(counts) if arguments.json else words)
    return 0


def _report(arguments: Namespace) -> int:
    from app.benchmarks.blocks.report import report

    sources = {
        name: None if (given := arguments[name]) is None else Path(given) for name in ("runs", "speed", "others")
    }
    written = [str(path) for path in report(Path(arguments.document), Path(arguments.images), **sources)]
    print(json_line({"written": written}) if arguments.json else "\n".join(written))
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog=PROGRAM, description=DESCRIPTION, exit_on_error=False, allow_abbrev=False)
    commands = parser.add_subcommands(dest="command", required=True)
    parts = {
        "speed": (_speed_arguments, "Milliseconds, multiply-adds and memory of every layer at full width."),
        "quality": (_quality_arguments, "Train the same small network with every block; goes on where it stopped."),
        "others": (_others_arguments, "Heads, optimisers, adapters, pruning, assignment; goes on where it stopped."),
        "report": (_report_arguments, "Tables and plots of what was measured."),
    }
    for name, (add_arguments, text) in parts.items():
        part = ArgumentParser(description=text, exit_on_error=False, allow_abbrev=False)
        add_arguments(part)
        part.add_argument("--json", action="store_true", help="Print one JSON object.")
        commands.add_subcommand(name, part, help=text)
    return parser


def _speed_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="Layers; all if not given.")
    parser.add_argument("--precisions", nargs="+", default=["fp32", "bf16", "int8"], choices=["fp32", "bf16", "int8"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], metavar="N", help="One after the other.")
    parser.add_argument("--rounds", type=int, default=20, help="Every layer once in each.")
    parser.add_argument("--warm_up", type=int, default=5, help="Rounds before that do not count.")
    parser.add_argument("--no_memory", action="store_true", help="Leave out peak memory.")
    parser.add_argument("--tiny", action="store_true", help="Small layers and few tokens, to try the command.")
    parser.add_argument("--out", metavar="DIR", help="Also write speed.json and speed.md there.")


def _quality_arguments(parser: ArgumentParser) -> None:
    from app.benchmarks.blocks.study import Study

    parser.add_argument("--data", default=".cache/rooms", metavar="DIR", help="Rooms, of scripts/prepare_rooms.")
    parser.add_argument("--out", default="runs/blocks", metavar="DIR", help="One file for each run.")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="Variants; all if not given.")
    parser.add_argument("--minutes", type=float, help="No run begins later; those that have begun are finished.")
    parser.add_argument("--processes", type=int, default=1, help="Runs at the same time, each on one thread.")
    parser.add_argument("--study", type=Study, default=Study(), help="What all runs share.")
    parser.add_argument("--control_rate", type=float, help="Whole runs at this rate, whichever has won.")


def _others_arguments(parser: ArgumentParser) -> None:
    from app.benchmarks.blocks.study import Study

    parser.add_argument("--data", default=".cache/rooms", metavar="DIR", help="Rooms, of scripts/prepare_rooms.")
    parser.add_argument("--out", default="runs/blocks_others", metavar="DIR", help="One file for each name.")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="What is measured; all if not given.")
    parser.add_argument("--study", type=Study, default=Study(), help="Network and data, as of quality.")


def _report_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--runs", metavar="DIR", help="Of quality.")
    parser.add_argument("--speed", metavar="FILE", help="speed.json of speed.")
    parser.add_argument("--others", metavar="DIR", help="Of others.")
    parser.add_argument("--document", default="docs/blocks.md", metavar="FILE", help="Gets the sections.")
    parser.add_argument("--images", default="docs/images", metavar="DIR", help="Gets the plots.")


if __name__ == "__main__":
    sys.exit(main())
