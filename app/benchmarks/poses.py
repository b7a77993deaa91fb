"""Camera poses from photographs alone, against measured cameras.

Of each capture `num_views` images, evenly spread over its frames (all, if there are fewer), are placed without their
cameras. Rotation errors are those of relative rotations over all pairs of placed images, so no alignment hides them;
centre errors are left after a similarity (Umeyama 1991), relative to the extent of the true centres. The two-image run
takes the first two of the same selection.
"""

from pathlib import Path
from statistics import median
from typing import Any

import torch

from recon.errors import GeometryError, PoseError
from recon.geometry.se3 import rotation_angle_deg
from recon.geometry.umeyama import umeyama
from recon.io.image_folder import spread
from recon.io.names import unique_names
from recon.io.transforms_json import read_transforms
from recon.sfm.estimator import SfmPoseEstimator
from recon.types import Cameras, Photograph


def run(scene_dirs: list[Path], num_views: int = 8) -> dict[str, Any]:
    """Scores of every capture and a summary, for `num_views` images and for two.

    Args:
        scene_dirs: Captures with `cameras.json`.
        num_views: Images taken of each.
    """
    names = unique_names(folder.resolve().name for folder in scene_dirs)
    many, two = {}, {}
    for name, folder in zip(names, scene_dirs, strict=True):
        photographs, given = read_transforms(folder / "cameras.json")
        chosen = spread(len(photographs), num_views)
        many[name] = score([photographs[i] for i in chosen], given.cameras[list(chosen)])
        two[name] = score([photographs[i] for i in chosen[:2]], given.cameras[list(chosen[:2])])
    return {
        "num_views": num_views,
        "summary": summarise(many),
        "summary_2": summarise(two),
        "scenes": many,
        "scenes_2": two,
    }


def score(photographs: list[Photograph], truth: Cameras) -> dict[str, Any]:
    """What was placed and how well; photographs that were not placed are named with the reason."""
    unposed = [Photograph(p.name, p.pixels, p.original_size, None, p.camera_id) for p in photographs]
    try:
        pose = SfmPoseEstimator().estimate(unposed)
    except PoseError as error:
        return {"registered": 0, "total": len(photographs), "missing": {p.name: error.message for p in photographs}}
    report = pose.report
    found = {"registered": len(pose.registered), "total": len(photographs), "missing": report.failed}
    found |= {"method": report.method, "reprojection_error_px": report.reprojection_error_px}
    found |= {"track_length": report.track_length, "seconds": round(report.seconds, 2)}
    return found | compare(pose.cameras, truth[list(pose.registered)])


def compare(found: Cameras, truth: Cameras) -> dict[str, float | None]:
    """Median relative rotation error in degrees, and centre error over the extent of the true centres."""
    first, second = torch.triu_indices(len(found), len(found), offset=1)
    ours, theirs = (c.cam_from_world[:, :3, :3].double() for c in (found, truth))
    angles = rotation_angle_deg(ours[first] @ ours[second].mT, theirs[first] @ theirs[second].mT)
    source, target = found.centers.double(), truth.centers.double()
    centre_error = None
    if len(found) >= 3:
        try:
            scale, rotation, translation = umeyama(source, target)
            residual = (scale * source @ rotation.T + translation - target).norm(dim=-1)
            centre_error = float(residual.mean() / torch.cdist(target, target).max())
        except GeometryError:
            centre_error = None
    return {"rotation_error_deg": float(angles.median()), "centre_error": centre_error}


def summarise(scenes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Captures placed whole, and medians over the captures with any pose."""
    complete = [s for s in scenes.values() if s["registered"] == s["total"]]
    errors = [s["rotation_error_deg"] for s in scenes.values() if "rotation_error_deg" in s]
    seconds = [s["seconds"] for s in scenes.values() if "seconds" in s]
    return {
        "complete": len(complete),
        "captures": len(scenes),
        "median_rotation_error_deg": median(errors) if errors else None,
        "median_seconds": median(seconds) if seconds else None,
    }
