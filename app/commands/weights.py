"""`recon weights`: convert weights that others publish, and list those that ship."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from app.commands.tables import columns, human_size
from app.console import json_line

HELP = "Convert published weights for use here, or list those that ship."
IMPORT_HELP = "Convert a checkpoint that the authors of a network publish, without running anything that it holds."
LIST_HELP = "List the weights that came with the installation, with licence and hash."


def add_arguments(parser: ArgumentParser) -> None:
    """What to do, and with what."""
    from models.published.importing import PUBLISHED

    actions = parser.add_subcommands(dest="action", required=True)
    importing = ArgumentParser(description=IMPORT_HELP, exit_on_error=False, allow_abbrev=False)
    importing.add_argument("network", choices=tuple(PUBLISHED), help="Whose weights they are.")
    importing.add_argument("file", help="The checkpoint, as it was published.")
    importing.add_argument("-o", "--out", required=True, help="Folder of the converted weights; made if absent.")
    importing.add_argument("--overwrite", action="store_true", help="Replace weights that the folder already holds.")
    listing = ArgumentParser(description=LIST_HELP, exit_on_error=False, allow_abbrev=False)
    for subparser in (importing, listing):
        subparser.add_argument("--json", action="store_true", help="Print one JSON object.")
    actions.add_subcommand("import", importing, help=IMPORT_HELP)
    actions.add_subcommand("list", listing, help=LIST_HELP)


def run(arguments: Namespace) -> int:
    """Do it, then print what came of it."""
    chosen = arguments[arguments.action]
    facts, text = _import(chosen) if arguments.action == "import" else _list()
    print(json_line(facts) if chosen.json else text)
    return 0


def _import(arguments: Namespace) -> tuple[dict[str, Any], str]:
    from models.published.importing import NOTICE_FILE, import_weights

    file, out = Path(arguments.file), Path(arguments.out)
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


def _list() -> tuple[dict[str, Any], str]:
    from app.doctor.weights import shipped_weights

    shipped = shipped_weights()
    rows = [(w.name, f"{human_size(w.bytes)}, licence {w.licence}, sha256 {w.sha256}") for w in shipped]
    return {"weights": [asdict(w) for w in shipped]}, "\n".join(columns(rows or [("none", "")]))
