"""A worker that plays back what the real one wrote of a small scene, so that the page can be tested within seconds."""

import json
from dataclasses import replace
from pathlib import Path

import torch

from app.web.jobs.events import Event, to_line
from app.web.jobs.previews import PreviewObserver
from app.web.jobs.work import PREVIEW, RESULT
from recon.io.scene_json import write_scene_json
from recon.pipeline.exporters import ALL_EXPORTERS
from recon.pipeline.progress import ProgressEvent
from recon.pipeline.stages import STAGES
from recon.types import Photograph, PoseEstimate, PoseReport, Scene
from tests.saved_scenes import two_balls

EXPORTS = ("ply", "spz", "glb", "splat", "points", "mp4", "depth", "transforms")
WORKER = """
import json, shutil, sys, time
from pathlib import Path
folder, template = Path(sys.argv[1]), Path({template!r})
def copy(name):
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(template / name, target)
for event in json.loads((template / "events.json").read_text()):
    for name in event.get("files", []):
        copy(name)
    if event.get("event") == "done":
        while {hold!r} and not Path({hold!r}).exists():
            time.sleep(0.02)
        for path in template.rglob("*"):
            if path.is_file() and path.name != "events.json":
                copy(str(path.relative_to(template)))
    print(json.dumps(event), flush=True)
    time.sleep({pause})
"""


def lit_balls() -> Scene:
    """The two balls, with photographs of them: their renderings, brightened."""
    from recon.render import render

    scene = two_balls()
    with torch.no_grad():
        images = render(scene.gaussians, scene.cameras).color.permute(0, 3, 1, 2).mul(1.1).clamp(0, 1)
    poses = {
        "registered": 3,
        "total": 4,
        "failed": {"d.jpg": "shows nothing of the others"},
        "reprojection_error_px": 0.31,
    }
    report = {
        "poses": poses,
        "gaussians": 2,
        "views": {"a.jpg": "network", "b.jpg": "held back to measure", "c.jpg": "network"},
        "refinement": {"psnr_before": 20.0, "psnr_after": 25.5},
        "seconds": {"load": 0.1, "poses": 2.0},
        "peak_rss_mb": 900,
    }
    return replace(scene, views=replace(scene.views, images=images), report=report, up=(0.0, -1.0, 0.0))


def write_template(folder: Path, *, mesh: bool = False, scene: Scene | None = None, message: str = "at work") -> Path:
    """Previews, results and events of a scene; of `lit_balls` without one."""
    events: list[dict] = []
    scene = scene or lit_balls()
    (folder / RESULT).mkdir(parents=True)

    def tell(event: Event) -> None:
        events.append(json.loads(to_line(event)))

    observer = PreviewObserver(folder / PREVIEW, tell)
    for i, stage in enumerate(STAGES):
        observer.announce(ProgressEvent(stage.name, message, i / len(STAGES), 10.0 - i))
        if stage.name == "poses":
            observer.poses(*_poses(scene))
        if stage.name in ("gaussians", "refinement"):
            observer.gaussians(stage.name, scene.gaussians, scene.views)
    names = (*EXPORTS, "mesh") if mesh else EXPORTS
    files = [path for name in names for path in ALL_EXPORTERS[name](scene, folder / RESULT)]
    sizes = {path.relative_to(folder / RESULT).as_posix(): path.stat().st_size for path in files}
    write_scene_json(folder / RESULT / "scene.json", scene, sizes)
    observer.finished(scene)
    events.append({"event": "done", "files": [f"{RESULT}/{name}" for name in sizes], "seconds": 12.5})
    (folder / "events.json").write_text(json.dumps(events))
    return folder


def write_staged_worker(path: Path, template: Path, *, pause: float, hold: Path | None = None) -> None:
    """A module that plays the template back, with a pause after each event; the end waits until `hold` is there."""
    path.write_text(WORKER.format(template=str(template), pause=pause, hold=str(hold or "")))


def _poses(scene: Scene) -> tuple[list[Photograph], PoseEstimate]:
    import numpy as np

    pictures = (scene.views.images.permute(0, 2, 3, 1) * 255).byte().numpy()
    size = (pictures.shape[2], pictures.shape[1])
    photographs = [
        Photograph(name=name, pixels=np.ascontiguousarray(p), original_size=size)  # pyright: ignore
        for name, p in zip(scene.views.names, pictures, strict=True)
    ]
    points = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)) * 0.3 + torch.tensor([0.0, 0.0, 4.0])
    report = PoseReport(method="none")  # pyright: ignore
    estimate = PoseEstimate("sfm", (0, 1, 2), scene.cameras, torch.zeros(3, 4), points, report)
    return photographs, estimate
