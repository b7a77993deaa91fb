"""Poses found from photographs alone, against measured ones."""

import time
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from app.benchmarks.scenes import CAMERAS
from recon.errors import PoseError
from recon.geometry.se3 import rotation_angle_deg
from recon.geometry.umeyama import umeyama
from recon.io.transforms_json import read_transforms
from recon.sfm.estimator import SfmPoseEstimator
from recon.types import Cameras, Photograph, PoseEstimate


def run(scene_dirs: list[Path], num_views: int = 8) -> dict[str, Any]:
    """Estimate poses of evenly chosen photographs of each capture, and of a pair, and compare with `cameras.json`.

    The estimator sees the photographs only. The pair is the first and second of the chosen ones: neighbours, so that
    they overlap.

    Args:
        scene_dirs: Folders with `cameras.json` and the photographs that it names.
        num_views: Photographs of each capture; all where there are fewer.

    Returns:
        "scenes": figures of each capture; "pairs": the same with two photographs; "summary": over both.
    """
    estimator = SfmPoseEstimator()
    scenes, pairs = [], []
    for folder in scene_dirs:
        photographs, measured = read_transforms(folder / CAMERAS, max_views=num_views)
        scenes.append({"scene": folder.name, **_figures(estimator, photographs, measured.cameras)})
        pairs.append({"scene": folder.name, **_figures(estimator, photographs[:2], measured.cameras[:2])})
    return {"scenes": scenes, "pairs": pairs, "summary": {"scenes": _summary(scenes), "pairs": _summary(pairs)}}


def _figures(estimator: SfmPoseEstimator, photographs: list[Photograph], measured: Cameras) -> dict[str, Any]:
    start = time.perf_counter()
    try:
        estimate = estimator.estimate(photographs)
    except PoseError as error:
        seconds = time.perf_counter() - start
        return {"photographs": len(photographs), "registered": 0, "failed": error.message, "seconds": round(seconds, 2)}
    seconds = time.perf_counter() - start
    report = estimate.report
    return {
        "photographs": len(photographs),
        "registered": len(estimate.registered),
        **_errors(estimate, measured[list(estimate.registered)]),
        "reprojection_error_px": round(report.reprojection_error_px or 0.0, 3),
        "track_length": round(report.track_length or 0.0, 2),
        "method": report.method,
        "failed": report.failed,
        "seconds": round(seconds, 2),
    }


def _errors(estimate: PoseEstimate, measured: Cameras) -> dict[str, float]:
    """Errors of an estimate against the measured cameras of the same photographs.

    Returns:
        "rotation_deg", "rotation_max_deg": angle between estimated and measured relative rotation, median and maximum
        over all pairs of photographs; "translation_deg": median angle between the directions of the relative
        translations; "center_percent": median distance of the camera centres after the best similarity, in percent of
        the largest distance between measured centres (three photographs or more); "focal_ratio": estimated over
        measured focal length, median.
    """
    rotation, direction = relative_errors_deg(estimate.cameras, measured)
    focal_ratio = estimate.cameras.K[:, 0, 0] / measured.K[:, 0, 0].to(estimate.cameras.K)
    errors = {
        "rotation_deg": round(float(rotation.median()), 3),
        "rotation_max_deg": round(float(rotation.max()), 3),
        "translation_deg": round(float(direction.median()), 3),
        "focal_ratio": round(float(focal_ratio.median()), 4),
    }
    if len(measured) >= 3:
        errors["center_percent"] = round(center_error_percent(estimate.cameras, measured), 3)
    return errors


def relative_errors_deg(
    estimated: Cameras, measured: Cameras
) -> tuple[Float[Tensor, " pairs"], Float[Tensor, " pairs"]]:
    """Errors of the relative rotation and of the direction of the relative translation of all pairs, in degrees."""
    pairs = torch.tensor(list(combinations(range(len(measured)), 2)))
    found, true = (
        cameras.cam_from_world.double()[pairs[:, 1]] @ cameras.world_from_cam.double()[pairs[:, 0]]
        for cameras in (estimated, measured)
    )
    cosine = torch.nn.functional.cosine_similarity(found[:, :3, 3], true[:, :3, 3], dim=1)
    direction = torch.rad2deg(torch.arccos(cosine.clamp(-1, 1)))
    return rotation_angle_deg(found[:, :3, :3], true[:, :3, :3]), direction


def center_error_percent(estimated: Cameras, measured: Cameras) -> float:
    """Median distance of the camera centres after the best similarity, in percent of the extent of the measured."""
    source, target = estimated.centers.double(), measured.centers.double()
    scale, rotation, translation = umeyama(source, target)
    distances = (scale * source @ rotation.T + translation - target).norm(dim=1)
    return float(100 * distances.median() / torch.cdist(target, target).max())


def _summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    placed = [row for row in rows if row["registered"]]
    names = ("rotation_deg", "translation_deg", "center_percent", "reprojection_error_px")
    values = {name: [row[name] for row in placed if name in row] for name in names}
    return {
        "complete": sum(row["registered"] == row["photographs"] for row in rows),
        "of": len(rows),
        **{f"median_{name}": round(median(known), 3) for name, known in values.items() if known},
        "median_seconds": median(row["seconds"] for row in rows),
        "max_seconds": max(row["seconds"] for row in rows),
    }
