"""`recon doctor`: whether this machine can do the job."""

from typing import TYPE_CHECKING

from jsonargparse import ArgumentParser, Namespace

from app.commands.tables import columns, human_size
from app.console import json_line
from recon.errors import ResourceError

if TYPE_CHECKING:
    from app.doctor.diagnosis import Diagnosis
    from app.doctor.parts import PartState

HELP = "Say what this installation can do, and what is missing."


def add_arguments(parser: ArgumentParser) -> None:
    """How to report."""
    parser.add_argument("--json", action="store_true", help="Print one JSON object.")


def run(arguments: Namespace) -> int:
    """Look, then print what was found; 0 only when the base works.

    Raises:
        ResourceError: A library that all of it needs cannot be imported.
    """
    from app.doctor.required import broken_imports

    if broken := broken_imports():
        raise ResourceError(
            "; ".join(f"the library {b.module} cannot be imported ({b.reason})" for b in broken),
            hint="; ".join(dict.fromkeys(b.advice for b in broken)),
        )
    from app.doctor.diagnosis import diagnose

    diagnosis = diagnose()
    print(json_line(diagnosis.as_json()) if arguments.json else as_text(diagnosis))
    return 0 if diagnosis.ok else 1


def as_text(diagnosis: "Diagnosis") -> str:
    """Sections of two columns, the verdict last."""
    parts = [(state.part.package, _part_line(state)) for state in diagnosis.parts]
    weights = [
        (w.name, f"{human_size(w.bytes)}, licence {w.licence}, sha256 {w.sha256}") for w in diagnosis.weights
    ] or [("none", "")]
    trials = [(t.name, f"{'works' if t.ok else 'FAILS'} ({t.seconds:.1f} s): {t.detail}") for t in diagnosis.trials]
    sections = {
        "Machine": [(name, str(value)) for name, value in diagnosis.machine.items()],
        "Libraries": list(diagnosis.libraries.items()),
        "Rasterisers": list(diagnosis.rasterizers.items()),
        "Compiled kernels": list(diagnosis.kernel_cache.items()),
        "Reads": list(diagnosis.reads.items()),
        "Optional parts": parts,
        "Not needed": [("programs", "ffmpeg, COLMAP, node, a CUDA toolkit or a compiler: none of them is called")],
        "Shipped weights": weights,
        "Trials": trials,
    }
    lines = [line for title, rows in sections.items() for line in (title, *columns(rows, "  "), "")]
    verdict = "This installation works." if diagnosis.ok else "This installation does not work; see the trials above."
    return "\n".join([*lines, verdict])


def _part_line(state: "PartState") -> str:
    """Version, purpose, what is wrong, what to do."""
    found = state.version or "absent"
    wrong = ", cannot be used" if state.version and state.advice else ""
    reason = f" ({state.broken})" if state.broken else ""
    return f"{found}{wrong}: {state.part.purpose}{reason}" + (f"; to get it: {state.advice}" if state.advice else "")
