"""The main job: photographs to a scene on disk.

source -> photographs (+ given poses) -> poses -> undistorted views on one canvas -> Gaussians -> files
"""

import logging
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recon.errors import InputError, PoseError
from recon.io.atomic import check_output, staged_folder
from recon.io.canvas import canvas_size
from recon.io.export import EXPORTERS, Exporter
from recon.io.poses_to_views import pose_views
from recon.io.scene_json import recorded_files, write_scene_json
from recon.pipeline.loading import Poses, load_source
from recon.pipeline.planning import require_memory
from recon.pipeline.protocols import GaussianReconstructor, PoseEstimator
from recon.pipeline.versions import library_versions
from recon.pipeline.video import export_mp4
from recon.types import Photograph, PoseEstimate, Provenance, Scene, ViewSet

log = logging.getLogger(__name__)

ALL_EXPORTERS: dict[str, Exporter] = EXPORTERS | {"mp4": export_mp4}


@dataclass(frozen=True)
class PipelineConfig:
    """What shapes the result.

    Attributes:
        poses: Where the cameras come from.
        views: Use at most this many photographs, evenly spread; None for all.
        resolution: Long side of the images that the network sees, in pixels.
        export: Names of the files to write besides `scene.json`.
        seed: Seed of all random choices.
    """

    poses: Poses = "auto"
    views: int | None = None
    resolution: int = 384
    export: tuple[str, ...] = ("ply", "mp4", "transforms")
    seed: int = 0


@dataclass(frozen=True)
class Result:
    """A finished reconstruction.

    Attributes:
        scene: In memory.
        files: What was written.
        report: Measured facts, ready for JSON.
    """

    scene: Scene
    files: list[Path]
    report: dict[str, Any]


@dataclass
class _Stages:
    """Announces each stage and keeps its wall time."""

    announce: Callable[[str], None]
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, name: str, message: str) -> Iterator[None]:
        self.announce(message)
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 2)


def reconstruct(
    source: Path,
    out: Path,
    *,
    reconstructor: GaussianReconstructor,
    pose_estimator: PoseEstimator,
    config: PipelineConfig = PipelineConfig(),
    overwrite: bool = False,
    progress: Callable[[str], None] = log.info,
) -> Result:
    """Reconstruct a scene and write it to a folder; on any error the folder is left as it was.

    Args:
        source: See `load_source`.
        out: Folder of the results.
        reconstructor: Network that makes the Gaussians.
        pose_estimator: Finds cameras where none are given.
        config: What shapes the result.
        overwrite: Replace results that `out` already holds.
        progress: Told each stage in words.

    Raises:
        ReconError: Of the kind that fits; see `recon.errors`.
    """
    check_config(config)
    check_output(out, overwrite)
    require_apart(source, out)
    stage = _Stages(progress)
    with stage("load", f"reading {source}"):
        photographs, pose = load_source(source, config.poses, config.views)
    if len(photographs) < 2:
        raise InputError(
            f"{source} holds {len(photographs)} photograph, expected at least two of the same place",
            hint="take more photographs from places some steps apart",
        )
    width, height = canvas_size([p.size for p in photographs], config.resolution, reconstructor.multiple)
    need = require_memory(reconstructor, len(photographs), height, width)
    with stage("poses", f"placing {len(photographs)} cameras"):
        pose = pose if pose is not None else pose_estimator.estimate(photographs, seed=config.seed)
        pose.validate(photographs)
    if len(pose.registered) < 2:
        raise PoseError(f"{len(pose.registered)} of {len(photographs)} photographs could be placed, expected two")
    with stage("gaussians", f"reconstructing from {len(pose.registered)} views"):
        views = pose_views(photographs, pose, resolution=config.resolution, multiple=reconstructor.multiple)
        gaussians = reconstructor.reconstruct(views, points=pose.points if len(pose.points) else None).validate()
    scene = Scene(
        views=views,
        gaussians=gaussians,
        provenance=_provenance(reconstructor, pose, config),
        unit="given" if pose.source == "given" else "arbitrary",
        report=_facts(source, photographs, pose, views, need, len(gaussians)),
    )
    return Result(scene, _write(scene, out, config.export, overwrite, stage), scene.report)


def _write(scene: Scene, out: Path, names: tuple[str, ...], overwrite: bool, stage: _Stages) -> list[Path]:
    """Write the named files and `scene.json`, all of them or none; results of an earlier run in `out` go."""
    earlier = recorded_files(out)
    with staged_folder(out, overwrite) as folder:
        with stage("export", "writing " + ", ".join(names)):
            files = [path for name in names for path in ALL_EXPORTERS[name](scene, folder)]
        scene.report.update(seconds=stage.seconds, peak_rss_mb=peak_rss_mb())
        write_scene_json(folder / "scene.json", scene, {str(p.relative_to(folder)): p.stat().st_size for p in files})
        written = [out / p.relative_to(folder) for p in files] + [out / "scene.json"]
    for path in set(earlier) - set(written):
        path.unlink(missing_ok=True)
    return written


def check_config(config: PipelineConfig) -> None:
    """Raise InputError for options without meaning."""
    unknown = [name for name in config.export if name not in ALL_EXPORTERS]
    if unknown:
        raise InputError(
            f"unknown export {', '.join(map(repr, unknown))}", hint=f"there are {', '.join(sorted(ALL_EXPORTERS))}"
        )
    if config.views is not None and config.views < 2:
        raise InputError(f"views is {config.views}, expected at least 2")
    if not 64 <= config.resolution <= 2048:
        raise InputError(f"resolution is {config.resolution} px, expected 64 to 2048")


def require_apart(source: Path, out: Path) -> None:
    """Raise InputError when results would be written over the photographs that they are made from."""
    folder = (source if source.is_dir() else source.parent).resolve()
    if out.resolve() in (folder, folder / "images"):
        raise InputError(f"the results would be written into {folder}, where the input is", hint="name another -o")


def peak_rss_mb() -> int:
    """Largest resident memory of this process so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak / 1e3)


def _provenance(reconstructor: GaussianReconstructor, pose: PoseEstimate, config: PipelineConfig) -> Provenance:
    return Provenance(
        model=reconstructor.name,
        weights_sha256=reconstructor.weights_sha256,
        pose_source=pose.source,
        config=asdict(config),
        versions=library_versions(),
        seed=config.seed,
    )


def _facts(
    source: Path,
    photographs: list[Photograph],
    pose: PoseEstimate,
    views: ViewSet,
    planned_bytes: int,
    num_gaussians: int,
) -> dict[str, Any]:
    report = pose.report
    return {
        "input": str(source),
        "photographs": len(photographs),
        "poses": {
            **report.detail,
            "source": pose.source,
            "method": report.method,
            "registered": len(pose.registered),
            "total": len(photographs),
            "failed": report.failed,
            "reprojection_error_px": report.reprojection_error_px,
            "track_length": report.track_length,
        },
        "image_size": [views.width, views.height],
        "gaussians": num_gaussians,
        "planned_memory_mb": round(planned_bytes / 1e6),
    }
