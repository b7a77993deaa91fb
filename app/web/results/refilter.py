"""Leave out Gaussians of low confidence, and write the files again, without running the job again.

The confidence of a Gaussian is its opacity: what several photographs agree on became opaque, what only fills a gap is
faint.
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from app.web.results.filtered import FROM_GAUSSIANS, Filtered
from recon.errors import GeometryError, InputError
from recon.io.atomic import staged_folder
from recon.io.export import EXPORTERS
from recon.io.recorded_files import recorded_files
from recon.io.scene_folder import SavedScene, load_scene
from recon.io.scene_json import write_scene_json
from recon.types import Cameras, Gaussians, Scene, ViewSet


def refilter(result: Path, out: Path, min_confidence: float, exports: Sequence[str] = ("ply",)) -> Filtered:
    """Write the files of a scene once more, with confident Gaussians only.

    Args:
        result: Folder of a finished job.
        out: Folder for the files; what it holds of an earlier filtering is replaced.
        min_confidence: Least opacity, 0..1; 0 keeps everything.
        exports: Some of `FROM_GAUSSIANS`; the PLY is always written.

    Raises:
        InputError: A number out of range, or a name that is not among those.
        GeometryError: Nothing is left.
        ExportError: The files cannot be written.
    """
    if not 0 <= min_confidence <= 1:
        raise InputError(f"the confidence is {min_confidence:g}, expected 0 to 1")
    names = tuple(dict.fromkeys(("ply", *exports)))
    unknown = [name for name in names if name not in FROM_GAUSSIANS]
    if unknown:
        raise InputError(f"{unknown[0]!r} cannot be written again", hint=f"there are {', '.join(FROM_GAUSSIANS)}")
    saved = load_scene(result)
    kept = saved.gaussians[saved.gaussians.opacities >= min_confidence]
    total = len(saved.gaussians)
    if not len(kept):
        raise GeometryError(
            f"none of {total:,} Gaussians has a confidence of {min_confidence:g}", hint="choose a lower one"
        )
    scene = _scene(saved, kept, min_confidence)
    earlier = recorded_files(out)
    with staged_folder(out, overwrite=True) as folder:
        files = [path for name in names for path in EXPORTERS[name](scene, folder)]
        write_scene_json(folder / "scene.json", scene, {path.name: path.stat().st_size for path in files})
    for path in earlier:
        if path.name not in {file.name for file in files}:
            path.unlink(missing_ok=True)
    return Filtered(out, len(kept), total)


def _scene(saved: SavedScene, kept: Gaussians, min_confidence: float) -> Scene:
    """The saved scene with other Gaussians, and without photographs."""
    record = saved.record
    if record is None:
        raise InputError(f"{saved.gaussians_path.name} is a file of Gaussians alone, expected a folder of results")
    num = len(record.cameras)
    views = ViewSet(
        images=torch.zeros(num, 3, 1, 1),
        names=record.names,
        original_size=record.original_size,
        crop_from_original=record.crop_from_original,
        masks=torch.zeros(num, 1, 1, dtype=torch.bool),
        cameras=Cameras(record.cameras.cam_from_world, record.cameras.K, record.cameras.size),
    )
    report = record.report | {"filter": {"min_opacity": min_confidence, "kept": len(kept)}}
    return Scene(views, kept, record.provenance, up=record.up, unit=record.unit, report=report)
