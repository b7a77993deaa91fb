"""`recon weights`: import weights that others publish, make weights smaller, list those that ship."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonargparse import ArgumentParser, Namespace

from app.commands.tables import columns, human_size
from app.console import json_line

if TYPE_CHECKING:
    from models.compression.stored import Shrunk, Target

HELP = "Import weights that others publish, make weights smaller, or list those that ship."
IMPORT_HELP = "Convert a checkpoint that the authors of a network publish, without running anything that it holds."
CONVERT_HELP = "Make trained weights smaller or faster: structured matrices, fewer hidden units, or experts."
LIST_HELP = "List the weights that came with the installation, with licence and hash."


def add_arguments(parser: ArgumentParser) -> None:
    """What to do, and with what."""
    from models.published.importing import PUBLISHED

    actions = parser.add_subcommands(dest="action", required=True)
    importing = ArgumentParser(description=IMPORT_HELP, exit_on_error=False, allow_abbrev=False)
    importing.add_argument("network", choices=tuple(PUBLISHED), help="Whose weights they are.")
    importing.add_argument("file", help="The checkpoint, as it was published.")
    importing.add_argument(
        "-o", "--out", help="Folder of the converted weights, made if absent; weights/NAME for NAME.ckpt unless given."
    )
    importing.add_argument("--overwrite", action="store_true", help="Replace weights that the folder already holds.")
    converting = ArgumentParser(description=CONVERT_HELP, exit_on_error=False, allow_abbrev=False)
    _add_conversion(converting)
    listing = ArgumentParser(description=LIST_HELP, exit_on_error=False, allow_abbrev=False)
    for subparser in (importing, converting, listing):
        subparser.add_argument("--json", action="store_true", help="Print one JSON object.")
    actions.add_subcommand("import", importing, help=IMPORT_HELP)
    actions.add_subcommand("convert", converting, help=CONVERT_HELP)
    actions.add_subcommand("list", listing, help=LIST_HELP)


def _add_conversion(parser: ArgumentParser) -> None:
    from models.compression.linears import PARTS
    from models.layers.linears import LINEARS

    parser.add_argument("weights", help="Name of weights that ship, or a folder of weights.")
    parser.add_argument("-o", "--out", required=True, help="Folder of the new weights; made if absent.")
    parser.add_argument(
        "--linear", choices=[kind for kind in LINEARS if kind != "dense"], help="Kind that the matrices become."
    )
    parser.add_argument("--budget", type=float, default=0.5, help="With --linear: share of their numbers that is kept.")
    parser.add_argument("--blocks", type=int, default=4, help="With --linear block_dense or blast: blocks of a side.")
    parser.add_argument("--part", choices=list(PARTS), help="With --linear: convert these layers only.")
    parser.add_argument(
        "--value_rank", type=float, default=1.0,
        help="With --linear lowrank, block_dense or blast: rank of values in attention over that of queries and keys.",
    )  # fmt: skip
    parser.add_argument("--width", type=float, help="Instead: share of the hidden units that is kept.")
    parser.add_argument("--experts", type=int, help="Instead: cut feed-forward layers into so many, half of them used.")
    parser.add_argument(
        "--finalise", action="store_true",
        help="Instead: only leave out what none but training needs, as the others do in passing.",
    )  # fmt: skip
    parser.add_argument("--calibrate", help="Folder of captures, as recon train takes them, to see on what matters.")
    parser.add_argument("--split", default="train", help="Of the captures: train, val or test.")
    parser.add_argument("--captures", type=int, default=32, help="At most so many of them.")
    parser.add_argument("--size", type=tuple[int, int], default=(128, 128), help="Height and width of their images.")
    parser.add_argument("--overwrite", action="store_true", help="Replace weights that the folder already holds.")


def run(arguments: Namespace) -> int:
    """Do it, then print what came of it."""
    chosen = arguments[arguments.action]
    facts, text = {"import": _import, "convert": _convert, "list": _list}[arguments.action](chosen)
    print(json_line(facts) if chosen.json else text)
    return 0


def _import(arguments: Namespace) -> tuple[dict[str, Any], str]:
    from models.published.importing import NOTICE_FILE, import_weights

    file = Path(arguments.file)
    out = Path("weights", file.stem) if arguments.out is None else Path(arguments.out)
    done = import_weights(arguments.network, file, out, overwrite=arguments.overwrite)
    rows = [
        ("variant", done.variant),
        ("source", f"{file}, sha256 {done.source_sha256}"),
        ("weights", f"sha256 {done.weights_sha256}"),
        ("left out", ", ".join(done.left_out) or "nothing"),
    ]
    use = f"recon reconstruct my_photos -o out/my_scene --weights {out}"
    lines = [f"Written to {out}", *columns(rows, "  "), "", done.notice, f"({out / NOTICE_FILE} says so too.)", ""]
    return done._asdict() | {"folder": str(out)}, "\n".join([*lines, f"To use them: {use}"])


def _convert(arguments: Namespace) -> tuple[dict[str, Any], str]:
    from models.compression.stored import shrink_weights
    from models.diagnostics import ActivationSource

    data = None
    if arguments.calibrate is not None:
        data = ActivationSource(arguments.calibrate, arguments.split, arguments.captures, tuple(arguments.size))
    target, out = _target(arguments), Path(arguments.out)
    done = shrink_weights(arguments.weights, out, target, data, overwrite=arguments.overwrite)
    settings = _settings(asdict(done.config), asdict(type(done.config)()))
    facts = {name: value for name, value in vars(done).items() if name not in ("config", "change")}
    change = {name: value for name, value in vars(done.change).items() if name != "block"}
    return facts | change | {"folder": str(out), "settings": dict(settings)}, _told(done, settings)


def _target(arguments: Namespace) -> "Target":
    from models.compression.linears import PARTS
    from models.compression.stored import ExpertsTarget, FormTarget, LinearTarget, WidthTarget
    from recon.errors import InputError

    wanted = {
        "--linear": arguments.linear is not None,
        "--width": arguments.width is not None,
        "--experts": arguments.experts is not None,
        "--finalise": arguments.finalise,
    }
    if sum(wanted.values()) != 1:
        given = " and ".join(name for name, there in wanted.items() if there)
        raise InputError(
            f"{given} are given, expected one of them" if given else f"none of {', '.join(wanted)} is given",
            hint="--linear blast --budget 0.5 for other matrices, --width 0.5 for fewer hidden units; one after the "
            "other for both, --width first",
        )
    if arguments.experts is not None:
        return ExpertsTarget(arguments.experts)
    if arguments.finalise:
        return FormTarget()
    if arguments.width is not None:
        return WidthTarget(arguments.width)
    parts = tuple(PARTS) if arguments.part is None else (arguments.part,)
    return LinearTarget(arguments.linear, arguments.budget, arguments.blocks, parts, arguments.value_rank)


def _told(done: "Shrunk", settings: list[tuple[str, Any]]) -> str:
    """Errors of every layer, sizes, and how to go on."""
    (numbers, fewer), (before, after) = done.parameters, done.file_bytes
    rows = [
        ("parameters", f"{numbers:,} before, {fewer:,} now ({fewer / numbers:.1%})"),
        ("file", f"{human_size(before)} before, {human_size(after)} now"),
        ("weights", f"sha256 {done.sha256[1]}"),
        ("error", f"{done.change.error:.1%} of {done.change.relative_to}"),
        *((f"  {name}", f"{error:.1%}") for name, error in done.change.errors.items()),
    ]
    section = {"ilrm-nano": "nano"}.get(done.network, done.network)
    options = " ".join(f"--{section}.{name} {value}" for name, value in settings)
    return "\n".join(
        [
            f"Written to {done.folder}: {done.change.words}",
            *columns(rows, "  "),
            "",
            f"To use them: recon reconstruct my_photos -o out/my_scene --weights {done.folder}",
            *_tuning(done, f"recon train --network {done.network} {options} --trainer.init_from {done.folder}"),
        ]
    )


def _tuning(done: "Shrunk", command: str) -> list[str]:
    """How to train them further, if that is possible."""
    from models.forms import ONLY_FOR_USE

    if done.change.block.feed_forward.kind in ONLY_FOR_USE:
        return []
    structured = done.change.error and done.change.block.feed_forward.kind != "routed"
    gain = ", which makes up for most of the error" if structured else ""
    return [f"To train them further{gain}: {command} --data.folder DATA"]


def _settings(found: dict[str, Any], default: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Settings by dotted name that differ from the defaults."""
    differing: list[tuple[str, Any]] = []
    for name, value in found.items():
        if isinstance(value, dict):
            differing += _settings(value, default[name], f"{prefix}{name}.")
        elif value != default[name]:
            differing.append((f"{prefix}{name}", value))
    return differing


def _list(_: Namespace) -> tuple[dict[str, Any], str]:
    from app.doctor.weights import shipped_weights

    shipped = shipped_weights()
    rows = [(w.name, f"{human_size(w.bytes)}, licence {w.licence}, sha256 {w.sha256}") for w in shipped]
    return {"weights": [asdict(w) for w in shipped]}, "\n".join(columns(rows or [("none", "")]))
