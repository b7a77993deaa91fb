"""`recon doctor`: whether this machine can do the job."""

from typing import TYPE_CHECKING

from jsonargparse import ArgumentParser, Namespace

from app.commands.tables import columns, human_size
from app.console import json_line

if TYPE_CHECKING:
    from app.doctor import Diagnosis

HELP = "Say what this installation can do, and what is missing."


def add_arguments(parser: ArgumentParser) -> None:
    """How to report."""
    parser.add_argument("--json", action="store_true", help="Print one JSON object.")


def run(arguments: Namespace) -> int:
    """Look, then print what was found; 0 only when the base works."""
    from app.doctor import diagnose

    diagnosis = diagnose()
    print(json_line(diagnosis.as_json()) if arguments.json else as_text(diagnosis))
    return 0 if diagnosis.ok else 1


def as_text(diagnosis: "Diagnosis") -> str:
    """Sections of two columns, the verdict last."""
    parts = [
        (s.part.package, f"{s.version or 'absent'} ({s.part.purpose})" + (f": {s.advice}" if s.advice else ""))
        for s in diagnosis.parts
    ]
    weights = [
        (w.name, f"{human_size(w.bytes)}, licence {w.licence}, sha256 {w.sha256}") for w in diagnosis.weights
    ] or [("none", "")]
    trials = [(t.name, f"{'works' if t.ok else 'FAILS'} ({t.seconds:.1f} s): {t.detail}") for t in diagnosis.trials]
    sections = {
        "Machine": [(name, str(value)) for name, value in diagnosis.machine.items()],
        "Libraries": list(diagnosis.libraries.items()),
        "Rasterisers": list(diagnosis.rasterizers.items()),
        "Optional parts": parts,
        "Shipped weights": weights,
        "Trials": trials,
    }
    lines = [line for title, rows in sections.items() for line in (title, *columns(rows, "  "), "")]
    verdict = "This installation works." if diagnosis.ok else "This installation does not work; see the trials above."
    return "\n".join([*lines, verdict])
