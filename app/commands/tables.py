"""Results as text for people."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recon.pipeline.reconstruct import Result


def human_size(num_bytes: float) -> str:
    """A size in bytes as a person reads it, in powers of 1000."""
    for unit in ("B", "kB", "MB"):
        if num_bytes < 1000:
            return f"{num_bytes:.0f} B" if unit == "B" else f"{num_bytes:.1f} {unit}"
        num_bytes /= 1000
    return f"{num_bytes:.1f} GB"


def columns(rows: Iterable[tuple[str, str]], indent: str = "") -> list[str]:
    """Two columns, the first as wide as its longest cell."""
    rows = list(rows)
    width = max((len(first) for first, _ in rows), default=0)
    return [f"{indent}{first:<{width}}  {second}".rstrip() for first, second in rows]


def scene_table(out: Path, result: "Result") -> str:
    """Files with sizes, photographs placed and not, seconds per stage, memory."""
    lines = [f"Written to {out}", *columns(_file_rows(out, result.files), "  "), ""]
    return "\n".join([*lines, *columns(_fact_rows(result.report))])


def _file_rows(out: Path, files: list[Path]) -> list[tuple[str, str]]:
    """One row per file of `out`, one row per folder inside it."""
    sizes: dict[str, list[int]] = {}
    for path in files:
        first, *rest = path.relative_to(out).parts
        sizes.setdefault(f"{first}/" if rest else first, []).append(path.stat().st_size)
    return [
        (name, f"{human_size(sum(group)):>9}" + (f"  {len(group)} files" if name.endswith("/") else ""))
        for name, group in sizes.items()
    ]


def _fact_rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    poses, seconds = report["poses"], report["seconds"]
    placed = f"{poses['registered']} of {poses['total']} placed (poses: {poses['source']})"
    measured = [
        f"{label} {poses[key]:.2f}{unit}"
        for key, label, unit in (
            ("reprojection_error_px", "reprojection error", " px"),
            ("track_length", "mean track length", ""),
        )
        if poses.get(key) is not None
    ]
    uses = list(report["views"].values())
    network = sum(use.startswith("network") for use in uses)
    groups = len({use.split(";")[0] for use in uses if use.startswith("network")})
    used = [f"{network} by the network" + (f" in {groups} groups" if groups > 1 else "")]
    used += [f"{uses.count('refinement only')} by refinement only"] if "refinement only" in uses else []
    stages = [f"{name} {value:.1f}" for name, value in seconds.items()]
    return [
        ("photographs", ", ".join([placed, *measured])),
        *((f"  not placed: {name}", reason) for name, reason in poses["failed"].items()),
        ("views used", ", ".join(used)),
        *_refinement_rows(report),
        ("gaussians", f"{report['gaussians']:,}"),
        ("seconds", ", ".join([*stages, f"sum {sum(seconds.values()):.1f}"])),
        ("peak memory", f"{report['peak_rss_mb']:,} MB"),
    ]


def _refinement_rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    facts = report["refinement"]
    if not facts:
        return []
    held_back = [name for name, use in report["views"].items() if "held back" in use]
    on = f"on {held_back[0]}, which was held back" if held_back else "on the views it fitted"
    if held_back and report["views"][held_back[0]].startswith("network"):
        on += " from refinement only"
    gain = f"{facts['psnr_before']:.1f} -> {facts['psnr_after']:.1f} dB {on}"
    return [("refinement", f"{gain}; {facts['steps']} steps, {facts['pruned']:,} Gaussians pruned")]


def outline(figures: dict[str, Any], indent: str = "") -> list[str]:
    """Nested figures as indented lines; a dict of plain values takes one line, so does each entry of a list."""
    lines = columns(((name, _inline(value)) for name, value in figures.items() if not _is_nested(value)), indent)
    for name, value in figures.items():
        if isinstance(value, dict) and _is_nested(value):
            lines += [f"{indent}{name}", *outline(value, indent + "  ")]
        elif _is_nested(value):
            lines += [f"{indent}{name}", *(f"{indent}  {_inline(entry)}" for entry in value)]
    return lines


def _is_nested(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(isinstance(entry, dict) for entry in inner)


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_inline(inner)}" for name, inner in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
