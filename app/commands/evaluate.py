"""`recon eval`: scores of weights on a data set."""

from dataclasses import fields
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from app.console import json_line

HELP = "Score weights on a data set by a fixed index of views, as papers do."


def add_arguments(parser: ArgumentParser) -> None:
    """The settings of `EvalConfig` as options."""
    from models.evaluation import EvalConfig

    parser.add_class_arguments(EvalConfig)
    parser.add_argument("--json", action="store_true", help="Print one JSON object instead of a table.")


def run(arguments: Namespace) -> int:
    """Evaluate, then print the means."""
    from models.evaluation import EvalConfig, evaluate

    config = EvalConfig(**{field.name: arguments[field.name] for field in fields(EvalConfig)})
    report = evaluate(config)
    print(json_line(report) if arguments.json else as_text(report))
    return 0


def as_text(report: dict[str, Any]) -> str:
    """The means over captures, by overlap too where the index groups them."""
    from recon.metrics.scores import NOT_MEASURED

    groups = {f"mean of {report['num_scenes']}": report["mean"], **report["by_overlap"]}
    rows = [["", *report["mean"]]]
    for name, scores in groups.items():
        rows.append([name, *(NOT_MEASURED if value is None else f"{value:.3f}" for value in scores.values())])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    seconds = NOT_MEASURED if report["seconds"] is None else f"{report['seconds']:.3f}"
    gpu = report["peak_memory_bytes"]
    memory = f"{report['process_memory_bytes'] / 2**30:.1f} GiB at most"
    memory += "" if gpu is None else f", {gpu / 2**30:.1f} GiB on the GPU while reconstructing and rendering"
    facts = [
        f"detail kept      {', '.join(f'{gain:.3f}' for gain in report['octave_gains'])} (octaves, coarse to fine)",
        f"seconds a scene  {seconds}",
        f"Gaussians        {report['num_gaussians']:,.0f}",
        f"memory           {memory}",
    ]
    skipped = [f"left out         {count} x {reason}" for reason, count in report["skipped"].items()]
    return "\n".join([*lines, "", *facts, *skipped])
