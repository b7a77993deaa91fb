"""`recon render`: a finished scene as a film or as pictures."""

import re
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from app.commands.tables import columns, human_size
from app.console import json_line
from app.options import DEVICES
from recon.errors import InputError

HELP = "Render a finished scene along a camera path, to a video or to pictures."
COLORS = {"black": (0.0, 0.0, 0.0), "white": (1.0, 1.0, 1.0), "grey": (0.5, 0.5, 0.5)}


def add_arguments(parser: ArgumentParser) -> None:
    """What to render, from where, and where to."""
    add = parser.add_argument
    add("scene", help="A result folder of `recon reconstruct`, or a file of Gaussians (.ply, .spz, .splat, .glb).")
    add("-o", "--out", required=True, help="An .mp4 file, or a folder for PNG pictures.")
    add(
        "--trajectory",
        help="tour: through all cameras and back (default). orbit: a circle around what they look at, or the part of "
        "it where cameras stand (default without cameras). spiral: a small loop for scenes seen from one side. inputs: "
        "the photographs' own cameras. Or a PATH.json in the form of transforms.json, which needs no photographs.",
    )
    add("--size", metavar="W,H", help="Size in pixels; that of the cameras if not given.")
    add("--fps", type=float, help="Frames per second; 24 if not given, 2 for inputs.")
    add("--seconds", type=float, help="How long the whole path takes.")
    add("--depth", action="store_true", help="Also depth: NAME.depth.mp4, or depth/*.npy and *.png in the folder.")
    add("--background", default="black", help="black, white, grey or #rrggbb.")
    add("--device", default="auto", help="cpu, cuda, cuda:N, or auto for CUDA where there is one.")
    add("--overwrite", action="store_true", help="Replace what is there.")
    add("--json", action="store_true", help="Print one JSON object instead of a table.")


def run(arguments: Namespace) -> int:
    """Render, then print what was written."""
    size, background = parse_size(arguments.size), parse_color(arguments.background)
    if not re.fullmatch(DEVICES, arguments.device):
        raise InputError(f"there is no device {arguments.device!r}", hint="choose auto, cpu, cuda, or cuda:N")
    from models.device import pick_device
    from recon.pipeline.flight import fly
    from recon.pipeline.flight_plan import FlightConfig

    config = FlightConfig(
        trajectory=arguments.trajectory,
        size=size,
        fps=arguments.fps,
        seconds=arguments.seconds,
        depth=arguments.depth,
        background=background,
        device=pick_device(arguments.device),
    )
    flight = fly(Path(arguments.scene), Path(arguments.out), config, overwrite=arguments.overwrite)
    files = [{"path": str(path), "bytes": path.stat().st_size} for path in flight.files]
    result = {"out": arguments.out, "files": files, "report": flight.report}
    print(json_line(result) if arguments.json else as_text(result))
    return 0


def as_text(result: dict[str, Any]) -> str:
    """What was written, in rows."""
    report, files = result["report"], result["files"]
    width, height = report["size"]
    size = human_size(sum(file["bytes"] for file in files))
    rows = [
        ("written", f"{result['out']}  {size}" + (f"  {len(files)} files" if len(files) > 1 else "")),
        ("trajectory", report["trajectory"]),
        ("frames", f"{report['frames']} of {width}x{height} px, {report['fps']:g} a second"),
    ]
    return "\n".join(columns(rows))


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Width and height from `W,H` or `WxH`."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,5})[,x](\d{1,5})", text)
    if not match:
        raise InputError(f"{text!r} is no size", hint="give width and height in pixels: --size 1280,720")
    return int(match[1]), int(match[2])


def parse_color(text: str) -> tuple[float, float, float]:
    """SRGB of 0..1 from a name or `#rrggbb`."""
    if text in COLORS:
        return COLORS[text]
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise InputError(f"{text!r} is no colour", hint=f"give {', '.join(COLORS)} or #rrggbb")
    red, green, blue = (int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue
