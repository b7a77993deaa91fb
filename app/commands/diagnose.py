"""`recon diagnose`: what trained weights look like from inside, layer by layer."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from jsonargparse import ArgumentParser, Namespace

from app.console import json_line

if TYPE_CHECKING:
    from models.diagnostics import Diagnosis, LayerFigures

HELP = "Figures of every layer of trained weights: rotation, ranks, tail of the spectrum, norm, activations."
HEADINGS = ("layer", "matrix", "turned", "hard", "soft", "tail", "norm", "rms", "hidden hard", "soft")
UNKNOWN = "-"


def add_arguments(parser: ArgumentParser) -> None:
    """What to look at, and what to compare it with."""
    parser.add_argument("checkpoint", help="Name of weights that ship, or a folder of weights.")
    parser.add_argument("--against", help="Other weights, to measure how far layers are turned from them.")
    parser.add_argument(
        "--seed", type=int, default=0, help="Without --against: seed of the run, whose beginning is compared with."
    )
    parser.add_argument("--data", help="Folder of captures, as recon train takes them: shows figures of activations.")
    parser.add_argument("--split", default="val", help="Of the captures: train, val or test.")
    parser.add_argument("--captures", type=int, default=8, help="At most so many of them.")
    parser.add_argument("--size", type=tuple[int, int], default=(128, 128), help="Height and width of their images.")
    parser.add_argument("-o", "--out", help="Folder for layers.csv and layers.png; made if absent.")
    parser.add_argument("--overwrite", action="store_true", help="Replace files that the folder already holds.")
    parser.add_argument("--json", action="store_true", help="Print one JSON object instead of a table.")


def run(arguments: Namespace) -> int:
    """Diagnose, write files if asked to, then print."""
    from models.diagnostics import ActivationSource, diagnose_checkpoint, write_diagnosis
    from recon.io.atomic import check_output

    out = None if arguments.out is None else Path(arguments.out)
    if out is not None:
        check_output(out, arguments.overwrite)
    data = None
    if arguments.data is not None:
        data = ActivationSource(arguments.data, arguments.split, arguments.captures, tuple(arguments.size))
    found = diagnose_checkpoint(arguments.checkpoint, arguments.against, data, seed=arguments.seed)
    reference = arguments.against or f"a new network of seed {arguments.seed}"
    files = []
    if out is not None:
        title = f"{arguments.checkpoint}, turned from {reference}"
        files = write_diagnosis(out, found, title, overwrite=arguments.overwrite)
    if arguments.json:
        print(json_line(asdict(found) | {"reference": reference, "files": [str(file) for file in files]}))
    else:
        print("\n".join([as_text(found, reference), *(f"written to {file}" for file in files)]))
    return 0


def as_text(found: "Diagnosis", reference: str) -> str:
    """A row for each layer, and what to keep in mind."""
    rows = [HEADINGS, *(_cells(layer) for layer in found.layers)]
    shown = [i for i in range(len(HEADINGS)) if i == 0 or any(row[i] not in (UNKNOWN, "") for row in rows[1:])]
    widths = {i: max(len(row[i]) for row in rows) for i in shown}
    lines = ["  ".join(f"{row[i]:{'<' if i < 2 else '>'}{widths[i]}}" for i in shown).rstrip() for row in rows]
    return "\n".join([*lines, "", *_remarks(found, reference)])


def _cells(layer: "LayerFigures") -> tuple[str, ...]:
    matrix = UNKNOWN if layer.rows is None else f"{layer.rows} x {layer.columns}"
    figures = (
        (layer.rotation, ".3f"), (layer.hard_rank, ".1%"), (layer.soft_rank, ".1%"), (layer.tail, ".2f"),
        (layer.norm_bound, ".3g"), (layer.rms, ".3g"), (layer.hidden_hard, ".1%"), (layer.hidden_soft, ".1%"),
    )  # fmt: skip
    return (layer.name, matrix, *(UNKNOWN if value is None else format(value, form) for value, form in figures))


def _remarks(found: "Diagnosis", reference: str) -> list[str]:
    turned = [layer.rotation for layer in found.layers if layer.rotation is not None]
    remarks = [f"turned    from {reference}: {found.compared} layers, mean {math.fsum(turned) / len(turned):.3f}"]
    if found.related < found.compared:
        apart = found.compared - found.related
        remarks.append(f"          {apart} of them no nearer to it than chance")
    few = [x for x in found.layers if x.hidden_samples is not None and x.hidden_samples < (x.columns or 0)]
    if few:
        remarks.append(
            f"hidden    {len(few)} layers have more hidden units than samples, which bounds their rank; "
            "give more --captures or a larger --size"
        )
    return remarks
