"""Poses found from photographs alone, against measured ones."""

import time
from pathlib import Path
from statistics import median
from typing import Any

import torch

from app.benchmarks.scenes import CAMERAS
from recon.errors import PoseError
from recon.geometry.umeyama import umeyama
from recon.io.transforms_json import read_transforms
from recon.metrics.pose import auc_binned, auc_exact, pair_errors, recall
from recon.sfm.estimator import SfmPoseEstimator
from recon.types import Cameras, Photograph, PoseEstimate

AREAS = ("auc_5", "auc_10", "auc_20", "auc_30_binned")
"""Means over captures; one without poses counts as 0."""


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
        translations, opposite ones counting as equal; "auc_5" to "auc_20", "auc_30_binned", "rra_15", "rta_15": as
        `recon.metrics.pose` defines them, over the pairs of registered photographs; "center_percent": median distance
        of the camera centres after the best similarity, in percent of the largest distance between measured centres
        (three photographs or more); "focal_ratio": estimated over measured focal length, median.
    """
    pairs = pair_errors(estimate.cameras.cam_from_world, measured.cam_from_world)
    focal_ratio = estimate.cameras.K[:, 0, 0] / measured.K[:, 0, 0].to(estimate.cameras.K)
    errors = {
        "rotation_deg": round(float(pairs.rotation_deg.median()), 3),
        "rotation_max_deg": round(float(pairs.rotation_deg.max()), 3),
        "translation_deg": round(float(pairs.translation_deg.median()), 3),
        **{f"auc_{limit}": round(auc_exact(pairs.largest_deg, limit), 3) for limit in (5, 10, 20)},
        "auc_30_binned": round(auc_binned(pairs.largest_deg), 3),
        "rra_15": round(recall(pairs.rotation_deg, 15), 3),
        "rta_15": round(recall(pairs.translation_deg, 15), 3),
        "focal_ratio": round(float(focal_ratio.median()), 4),
    }
    if len(measured) >= 3:
        errors["center_percent"] = round(center_error_percent(estimate.cameras, measured), 3)
    return errors


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
        **{f"mean_{name}": round(sum(row.get(name, 0.0) for row in rows) / len(rows), 3) for name in AREAS},
        "median_seconds": median(row["seconds"] for row in rows),
        "max_seconds": max(row["seconds"] for row in rows),
    }
