"""The main job: photographs to a scene on disk.

source -> photographs (+ given poses) -> poses -> undistorted views on one canvas -> groups of views
-> Gaussians of each group, merged -> refinement on all views -> the asked frame -> files
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from recon.errors import InputError, PoseError
from recon.geometry.overlap import typical_depths, view_overlap
from recon.io.atomic import check_output, staged_folder
from recon.io.limits import DEFAULT_LIMITS, Limits
from recon.io.photographs.canvas import canvas_size
from recon.io.photographs.poses_to_views import pose_views
from recon.io.recorded_files import recorded_files
from recon.io.scene_json import write_scene_json
from recon.pipeline.config import PipelineConfig
from recon.pipeline.exporters import ALL_EXPORTERS
from recon.pipeline.framing import reframe
from recon.pipeline.grouped import reconstruct_groups
from recon.pipeline.kept_stages import (
    KeptStages,
    fingerprint,
    gaussians_from_kept,
    gaussians_to_kept,
    poses_from_kept,
    poses_to_kept,
    stage_key,
)
from recon.pipeline.loading import Source, open_source
from recon.pipeline.planning import require_memory, views_that_fit
from recon.pipeline.progress import LogObserver, Observer, Stages
from recon.pipeline.protocols import GaussianReconstructor, PoseEstimator
from recon.pipeline.report import peak_rss_mb, pose_facts, provenance, view_uses
from recon.pipeline.view_plan import ViewPlan, plan_views
from recon.refine.config import RefineConfig
from recon.refine.refine import Refined, refine
from recon.types import Gaussians, PoseEstimate, Scene, ViewSet

DEFAULT_CONFIG = PipelineConfig()
# Folders that exporters write into, and the output folder itself.
RESULT_FOLDERS = ((), ("images",), ("sparse",), ("depth",))
# Size of a Gaussian in the files that grow with their number.
BYTES_PER_GAUSSIAN = {"ply": 68, "glb": 60, "splat": 32, "spz": 20, "points": 15}


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


@dataclass(frozen=True)
class _Run:
    """What all stages share."""

    reconstructor: GaussianReconstructor
    pose_estimator: PoseEstimator
    config: PipelineConfig
    out: Path
    kept: KeptStages
    stage: Stages
    limits: Limits


def reconstruct(
    source: Path | str | Sequence[Path],
    out: Path,
    *,
    reconstructor: GaussianReconstructor,
    pose_estimator: PoseEstimator,
    config: PipelineConfig = DEFAULT_CONFIG,
    overwrite: bool = False,
    resume: bool = False,
    observer: Observer | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Result:
    """Reconstruct a scene and write it to a folder; on any error the folder is left as it was.

    Args:
        source: See `open_source`.
        out: Folder of the results.
        reconstructor: Network that makes the Gaussians.
        pose_estimator: Finds cameras where none are given.
        config: What shapes the result.
        overwrite: Replace results that `out` already holds.
        resume: Go on with the stages that an interrupted run into `out` has finished.
        observer: Told each stage, and shown what it made; by default the stages are logged.
        limits: Bounds on the input.

    Raises:
        ReconError: Of the kind that fits; see `recon.errors`.
    """
    config.validate()
    check_output(out, overwrite)
    require_apart(source, out)
    stages = Stages(LogObserver() if observer is None else observer)
    run = _Run(reconstructor, pose_estimator, config, out, KeptStages(out, resume=resume), stages, limits)
    with run.kept.until_done(stages.say):
        scene = _scene(run, source)
        files = _write(scene, out, config.export, overwrite, run.stage)
    return Result(scene, files, scene.report)


def _scene(run: _Run, source: Path | str | Sequence[Path]) -> Scene:
    """Everything up to the files."""
    config, reconstructor = run.config, run.reconstructor
    with run.stage("load", f"reading {_words(source)}"):
        found = open_source(source, poses=config.poses, max_views=config.views, fps=config.fps, limits=run.limits)
        key = fingerprint(found.photographs, found.given)
    run.stage.say(f"found {found.kind}")
    refining = config.refine_steps(len(found.photographs)) > 0
    _leave_out(run.stage, poses=found.given is not None, refinement=not refining)
    width, height = _canvas(found, source, config.long_side_px, reconstructor.multiple)
    wanted = min(reconstructor.max_views, config.network_views, len(found.photographs))
    group_size = views_that_fit(reconstructor, wanted, height, width)
    most = min(config.network_views, len(found.photographs)) * width * height
    need = require_memory(reconstructor, group_size, height, width, num_refined=most if refining else 0)
    check_output(run.out, True, expected_bytes=most * sum(BYTES_PER_GAUSSIAN.get(name, 0) for name in config.export))
    pose = _poses(run, found, key)
    views = pose_views(found.photographs, pose, resolution=config.long_side_px, multiple=reconstructor.multiple)
    depths = typical_depths(views.posed_cameras, pose.points)
    overlap = view_overlap(views.posed_cameras, depths)
    poses, num = pose_facts(found, pose), len(found.photographs)
    found.photographs.clear()  # up to 10 MB each, and no longer needed
    plan = plan_views(overlap, config.network_views, group_size, refining=refining)
    key = stage_key(key, pose.cameras.cam_from_world.tolist(), plan, reconstructor.weights_sha256, width, height)
    gaussians = _gaussians(run, views, plan, pose, key)
    run.stage.observer.gaussians("gaussians", gaussians, views)
    refined = _refined(run, gaussians, views, depths, plan, key)
    views = views.with_cameras(refined.cameras)
    if refining:
        run.stage.observer.gaussians("refinement", refined.gaussians, views)
    scene = Scene(
        views=views,
        gaussians=refined.gaussians,
        provenance=provenance(reconstructor, pose, config),
        unit="given" if pose.source == "given" else "arbitrary",
        report={
            "input": _words(source),
            "found": found.kind,
            **found.notes,
            "photographs": num,
            "poses": poses,
            "image_size": [views.width, views.height],
            "views": view_uses(views, plan),
            "refinement": refined.report or None,
            "gaussians": len(refined.gaussians),
            "planned_memory_mb": round(need / 1e6),
        },
    )
    return reframe(scene, config.frame, config.up)


def _leave_out(stage: Stages, **absent: bool) -> None:
    """Tell the forecast of the remaining time which stages this run has no work for."""
    for name, is_absent in absent.items():
        if is_absent:
            stage.leave_out(name)


def _poses(run: _Run, found: Source, key: str) -> PoseEstimate:
    """Given poses, or those that are found now or were found by the run that is resumed."""
    num, seed = len(found.photographs), run.config.seed
    with run.stage("poses", f"placing {num} cameras"):
        key = stage_key(key, run.config.poses, seed, run.pose_estimator.fingerprint)
        if found.given is not None:
            pose = found.given
        elif kept := run.kept.load("poses", key):
            pose = poses_from_kept(*kept)
        else:
            pose = run.pose_estimator.estimate(found.photographs, seed=seed, progress=run.stage.go_on)
            run.kept.save("poses", key, *poses_to_kept(pose))
        pose.validate(found.photographs)
    if len(pose.registered) < 2:
        raise PoseError(f"{len(pose.registered)} of {num} photographs could be placed, expected two")
    run.stage.observer.poses(found.photographs, pose)
    return pose


def _gaussians(run: _Run, views: ViewSet, plan: ViewPlan, pose: PoseEstimate, key: str) -> Gaussians:
    """What the network makes, now or in the run that is resumed."""
    message = f"reconstructing from {len(plan.chosen)} views" + (
        f" in {len(plan.groups)} groups" if len(plan.groups) > 1 else ""
    )
    with run.stage("gaussians", message):
        if kept := run.kept.load("gaussians", key):
            return gaussians_from_kept(kept[0])
        points = pose.points if len(pose.points) else None
        made = reconstruct_groups(views, plan.groups, run.reconstructor, points, run.stage.go_on)
        run.kept.save("gaussians", key, gaussians_to_kept(made), {})
        return made


def _refined(
    run: _Run, gaussians: Gaussians, views: ViewSet, depths: Float[Tensor, " views"], plan: ViewPlan, key: str
) -> Refined:
    """The Gaussians fitted to all views, where steps are asked for."""
    options = RefineConfig(steps=run.config.refine_steps(len(views)), poses=run.config.refine_poses)
    if not options.steps:
        return Refined(gaussians, views.posed_cameras, {})

    def tell(done: int, total: int, seconds_left: float) -> None:
        message = f"refining: step {done} of at most {total}, {seconds_left:.0f} s left"
        run.stage.say(message, done=done / total, seconds_left=seconds_left)

    with run.stage("refinement", f"refining {len(gaussians):,} Gaussians"):
        key = stage_key(key, options, run.config.seed)
        if kept := run.kept.load("refined", key):
            cameras = replace(views.posed_cameras, cam_from_world=kept[0]["cam_from_world"])
            return Refined(gaussians_from_kept(kept[0]), cameras, kept[1])
        made = refine(gaussians, views, depths, options, held_back=plan.held_back, seed=run.config.seed, progress=tell)
        tensors = gaussians_to_kept(made.gaussians) | {"cam_from_world": made.cameras.cam_from_world}
        run.kept.save("refined", key, tensors, made.report)
        return made


def _write(scene: Scene, out: Path, names: tuple[str, ...], overwrite: bool, stage: Stages) -> list[Path]:
    """Write the named files and `scene.json`, all of them or none; results of an earlier run in `out` go."""
    earlier = recorded_files(out)
    with staged_folder(out, overwrite) as folder:
        files: dict[Path, None] = {}
        with stage("export", "writing " + ", ".join(names)):
            for i, name in enumerate(names):
                if i:
                    stage.go_on(f"writing {name}", i / len(names))
                files |= dict.fromkeys(ALL_EXPORTERS[name](scene, folder))
        scene.report.update(seconds=stage.seconds, peak_rss_mb=peak_rss_mb())
        write_scene_json(folder / "scene.json", scene, {str(p.relative_to(folder)): p.stat().st_size for p in files})
        written = [out / p.relative_to(folder) for p in files] + [out / "scene.json"]
    for path in set(earlier) - set(written):
        path.unlink(missing_ok=True)
    return written


def _canvas(found: Source, source: Path | str | Sequence[Path], resolution: int, multiple: int) -> tuple[int, int]:
    """Width and height of the canvas that all photographs share."""
    if len(found.photographs) < 2:
        raise InputError(
            f"{_words(source)} holds {len(found.photographs)} photograph, expected at least two of the same place",
            hint="take more photographs from places some steps apart",
        )
    return canvas_size([p.size for p in found.photographs], resolution, multiple)


def require_apart(source: Path | str | Sequence[Path], out: Path) -> None:
    """Raise InputError when results would be written over the photographs that they are made from."""
    paths = [Path(source)] if isinstance(source, (Path, str)) else list(source)
    target = out.resolve()
    for folder in {(path if path.is_dir() else path.parent).resolve() for path in paths}:
        written = folder.is_relative_to(target) and folder.relative_to(target).parts[:1] in RESULT_FOLDERS
        if written or target == folder / "images":
            raise InputError(f"the results would be written into {folder}, where the input is", hint="name another -o")


def _words(source: Path | str | Sequence[Path]) -> str:
    return str(source) if isinstance(source, (Path, str)) else f"{len(source)} files"
