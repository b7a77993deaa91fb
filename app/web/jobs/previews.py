"""What a worker leaves to be looked at while it goes on: cameras and points, then light files of Gaussians."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from app.web.jobs.events import Event, Made, Progress
from app.web.results.pictures import write_pictures
from app.web.results.views import points_as_gaussians, write_view
from recon.io.json_file import write_json
from recon.io.points_ply import write_points_ply
from recon.io.splats.ply import write_ply
from recon.io.splats.splat import by_importance
from recon.pipeline.progress import ProgressEvent
from recon.types import Cameras, Gaussians, Photograph, PoseEstimate, Scene, ViewSet

MAX_GAUSSIANS = 150_000
"""In a preview: those that show most. About 10 MB."""
POINTS, CAMERAS = "points.ply", "cameras.json"


class PreviewObserver:
    """Passes progress on, and writes previews.

    Args:
        folder: Made if absent; its parent is the folder of the job.
        tell: Told every event.
    """

    def __init__(self, folder: Path, tell: Callable[[Event], None]):
        folder.mkdir(exist_ok=True)
        self._folder, self._tell = folder, tell

    def announce(self, event: ProgressEvent) -> None:
        """Pass it on."""
        self._tell(Progress(event.stage, event.message, event.fraction, event.seconds_left))

    def poses(self, photographs: list[Photograph], pose: PoseEstimate) -> None:
        """Write the sparse points and the cameras, and tell which photographs have no place."""
        files = []
        names = [photographs[i].name for i in pose.registered]
        if len(pose.points):
            gray = torch.full((len(pose.points), 3), 0.6)
            colors = gray if pose.point_colors is None else pose.point_colors.float() / 255
            write_points_ply(self._folder / POINTS, pose.points, colors)
            files.append(POINTS)
            shown = points_as_gaussians(pose.points, colors, pose.cameras)
            write_ply(self._folder / "poses.ply", shown)
            files += ["poses.ply", self._view("poses", shown, pose.cameras, names)]
        cameras = zip(names, pose.cameras.world_from_cam, pose.cameras.K, pose.cameras.size, strict=True)
        rows = [{"name": n, "world_from_cam": pose_, "K": K, "size": size} for n, pose_, K, size in cameras]
        write_json(self._folder / CAMERAS, {"cameras": rows})
        facts = {
            "placed": len(names),
            "total": len(photographs),
            "points": len(pose.points),
            "failed": pose.report.failed,
            "method": pose.report.method,
            "reprojection_error_px": pose.report.reprojection_error_px,
        }
        self._made("poses", [*files, CAMERAS], facts)

    def gaussians(self, stage: str, gaussians: Gaussians, views: ViewSet) -> None:
        """Write those that show most, without view-dependent colour, as `STAGE.ply`."""
        path = self._folder / f"{stage}.ply"
        shown = by_importance(gaussians.detach().to("cpu"))[:MAX_GAUSSIANS]
        write_ply(path, Gaussians(shown.means, shown.scales, shown.quats, shown.opacities, shown.sh[:, :1]))
        described = self._view(stage, shown, views.posed_cameras, views.names)
        self._made(stage, [path.name, described], {"gaussians": len(gaussians), "shown": len(shown)})

    def finished(self, scene: Scene) -> None:
        """Write, of every photograph, what the page compares: the picture, its rendering, depth and confidence."""
        facts = write_pictures(scene, self._folder)
        pictures = [view["photograph"] for view in facts.views]
        write_view(
            self._folder, "result", scene.gaussians, scene.cameras, scene.views.names,
            title="recon", up=scene.up, pictures=pictures,
        )  # fmt: skip
        self._made("pictures", facts.files, {"views": facts.views})

    def _view(self, what: str, gaussians: Gaussians, cameras: Cameras, names: Sequence[str]) -> str:
        return write_view(self._folder, what, gaussians, cameras, names, title="recon")

    def _made(self, what: str, files: list[str], facts: dict) -> None:
        self._tell(Made(what, tuple(f"{self._folder.name}/{name}" for name in files), facts))
