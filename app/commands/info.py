"""`recon info`: what a file of Gaussians or a scene folder holds."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonargparse import ArgumentParser, Namespace

from app.commands.tables import columns, human_size, outline
from app.console import json_line

if TYPE_CHECKING:
    from recon.io.scene_json import SceneRecord

HELP = "Say what a file of 3D Gaussians, or the folder of a scene, holds."
SCENE_FILE = "scene.json"


def add_arguments(parser: ArgumentParser) -> None:
    """What to look at, and how to report."""
    parser.add_argument("path", help="A .ply, .splat, .spz or .glb of Gaussians, or the folder of a scene.")
    parser.add_argument("--json", action="store_true", help="Print one JSON object instead of tables.")


def run(arguments: Namespace) -> int:
    """Look, then print what was found."""
    facts = inspect(Path(arguments.path))
    print(json_line(facts) if arguments.json else as_text(facts))
    return 0


def inspect(path: Path) -> dict[str, Any]:
    """Facts of the scene folder, if it is one, and of the Gaussians.

    Raises:
        InputError: There is nothing of either kind, or it cannot be read.
    """
    from recon.io.scene_json import read_scene_json
    from recon.io.splats.facts import gaussian_facts
    from recon.io.splats.files import IN_SCENE_FOLDER, gaussians_in

    if path.name == SCENE_FILE:
        path = path.parent
    facts: dict[str, Any] = {}
    if path.is_dir() and (path / SCENE_FILE).is_file():
        facts["scene"] = scene_facts(read_scene_json(path / SCENE_FILE))
        if not any((path / name).is_file() for name in IN_SCENE_FOLDER):
            return facts
    return facts | {"gaussians": gaussian_facts(gaussians_in(path))}


def scene_facts(record: "SceneRecord") -> dict[str, Any]:
    """How the scene was made, and what was measured."""
    provenance = record.provenance
    return {
        "photographs": len(record.names),
        "unit": record.unit,
        "up": record.up,
        "model": provenance.model,
        "weights_sha256": provenance.weights_sha256,
        "poses": provenance.pose_source,
        "seed": provenance.seed,
        "versions": provenance.versions,
        "report": record.report,
        "files": record.files,
    }


def as_text(facts: dict[str, Any]) -> str:
    """The scene, then the Gaussians."""
    lines: list[str] = []
    if "scene" in facts:
        scene = facts["scene"]
        files = scene["files"]
        rest = {name: value for name, value in scene.items() if name not in ("files", "report") and value is not None}
        rest["files"] = f"{len(files)}, {human_size(sum(files.values()))}"
        lines += ["Scene", *outline(rest, "  "), "  report", *outline(scene["report"], "    "), ""]
    if "gaussians" in facts:
        lines += ["Gaussians", *_gaussian_lines(facts["gaussians"])]
    return "\n".join(lines).rstrip()


def _gaussian_lines(facts: dict[str, Any]) -> list[str]:
    elements = facts["format"].get("elements", {})
    details = [f"{name} {value}" for name, value in facts["format"].items() if name not in ("name", "elements")]
    details += [f"{num} properties of {name}" for name, num in elements.items()]
    defects = {name: num for name, num in facts["not_usable"].items() if num}
    rows = [
        ("file", f"{facts['file']}  {human_size(facts['bytes'])}"),
        ("format", ", ".join([facts["format"]["name"], *details])),
        ("number", f"{facts['gaussians']:,}"),
        ("harmonics", f"degree {facts['sh_degree']}"),
        ("not usable", ", ".join(f"{num:,} {name}" for name, num in defects.items()) or "none"),
    ]
    figures = [*((f"position {axis}", facts["position"][axis]) for axis in "xyz")]
    figures += [("opacity", facts["opacity"]), ("scale", facts["scale"])]
    names = ("min", "p1", "p50", "p99", "max")
    if facts["scale"]:
        rows += [("", "".join(f"{name:>11}" for name in names))]
        rows += [(title, "".join(f"{values[name]:>11.4g}" for name in names)) for title, values in figures]
    return columns(rows, "  ")
