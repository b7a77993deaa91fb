"""`recon convert`: Gaussians from one kind of file to another."""

from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from app.commands.tables import columns, human_size
from app.console import json_line

HELP = "Convert 3D Gaussians between .ply, .splat, .spz and .glb."
UNITS = {"means": "units of length", "scales": "relative", "rotation_deg": "degrees"}


def add_arguments(parser: ArgumentParser) -> None:
    """From where, to where, and how to report."""
    parser.add_argument("input", help="A .ply (also compressed), .splat, .spz or .glb, or the folder of a scene.")
    parser.add_argument("output", help="The file to write; its suffix says in which format.")
    parser.add_argument("--overwrite", action="store_true", help="Replace the output if it is there.")
    parser.add_argument("--json", action="store_true", help="Print one JSON object instead of a table.")


def run(arguments: Namespace) -> int:
    """Convert, read the result back, and print what changed."""
    facts = convert(Path(arguments.input), Path(arguments.output), overwrite=arguments.overwrite)
    print(json_line(facts) if arguments.json else as_text(facts))
    return 0


def convert(source: Path, target: Path, *, overwrite: bool = False) -> dict[str, Any]:
    """Write the Gaussians of `source` that are usable to `target`, and say what changed on the way.

    Raises:
        InputError: The input cannot be read or is the output, or a suffix names no format.
        GeometryError: There are Gaussians, but none is usable.
        ExportError: The output is there and `overwrite` is False, or it cannot be written.
    """
    from recon.errors import ExportError, GeometryError, InputError
    from recon.geometry.clean import finite_only
    from recon.io.limits import DEFAULT_LIMITS
    from recon.io.splats.files import format_of, gaussians_in, writable_format_of
    from recon.metrics.gaussians import largest_errors

    source, form = gaussians_in(source), writable_format_of(target)
    if target.exists():
        if source.exists() and source.samefile(target):
            raise InputError(f"{target}: is both input and output")
        if not overwrite:
            raise ExportError(f"{target}: is already there", hint="pass --overwrite to replace it")
    decoded = format_of(source).decode(source, DEFAULT_LIMITS)
    gaussians, num_dropped = finite_only(decoded)
    if num_dropped and not len(gaussians):
        raise GeometryError(f"{source}: none of the {num_dropped:,} Gaussians is finite and of positive size")
    form.write(target, gaussians)
    written = form.decode(target, DEFAULT_LIMITS)
    return {
        "input": str(source),
        "output": str(target),
        "gaussians": len(written),
        "dropped": num_dropped,
        "sh_degree": written.sh_degree,
        "bytes": {"input": source.stat().st_size, "output": target.stat().st_size},
        "lost": form.lost_from(gaussians),
        "largest_errors": largest_errors(written, form.arranged(gaussians)),
    }


def as_text(facts: dict[str, Any]) -> str:
    """Two columns."""
    dropped = f", {facts['dropped']:,} dropped that were not finite or of no size" if facts["dropped"] else ""
    errors = [
        (f"  {name.removesuffix('_deg')}", f"{value:.3g}" + (f" {UNITS[name]}" if name in UNITS else ""))
        for name, value in facts["largest_errors"].items()
    ]
    rows = [
        ("input", f"{facts['input']}  {human_size(facts['bytes']['input'])}"),
        ("output", f"{facts['output']}  {human_size(facts['bytes']['output'])}"),
        ("gaussians", f"{facts['gaussians']:,}{dropped}"),
        ("harmonics", f"degree {facts['sh_degree']}"),
        *(("lost", loss) for loss in facts["lost"] or ["nothing but rounding to single precision"]),
        ("largest error, read back", ""),
        *errors,
    ]
    return "\n".join(columns(rows))
