"""Poses found from photographs alone, against measured ones.

Areas under recall curves (AUC) and recalls (RRA, RTA) are over all pairs of photographs; a pair with an unregistered
photograph counts as 180 degrees. In the summary the pairs of all captures are pooled first, as SuperGlue, NoPoSplat and
VGGT do; the figures of one capture are of its own pairs. `recon.metrics.pose` defines them.
"""

import math
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.nn.functional import pad

from app.benchmarks.scenes import CAMERAS
from recon.errors import PoseError
from recon.geometry.umeyama import umeyama
from recon.io.transforms_json import read_transforms
from recon.metrics.pose import PairErrors, auc_binned, auc_exact, pair_errors, recall
from recon.sfm.estimator import SfmPoseEstimator
from recon.types import Cameras, Photograph, PoseEstimate

UNREGISTERED_DEG = 180.0
"""Error of rotation and of translation of a pair with an unregistered photograph."""
NO_PAIRS = PairErrors(torch.zeros(0, dtype=torch.float64), torch.zeros(0, dtype=torch.float64))


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
        scenes.append(_measure(estimator, folder.name, photographs, measured.cameras))
        pairs.append(_measure(estimator, folder.name, photographs[:2], measured.cameras[:2]))
    return {
        "scenes": [row for row, _ in scenes],
        "pairs": [row for row, _ in pairs],
        "summary": {"scenes": _summary(scenes), "pairs": _summary(pairs)},
    }


def _measure(
    estimator: SfmPoseEstimator, name: str, photographs: list[Photograph], measured: Cameras
) -> tuple[dict[str, Any], PairErrors]:
    """Figures of one capture, and the errors of all its pairs."""
    row = {"scene": name, "photographs": len(photographs)}
    start = time.perf_counter()
    try:
        estimate = estimator.estimate(photographs)
    except PoseError as error:
        seconds = time.perf_counter() - start
        pairs = all_pairs(NO_PAIRS, len(photographs))
        found = {"registered": 0, **pair_shares("capture", pairs), "failed": error.message}
        return row | found | {"seconds": round(seconds, 2)}, pairs
    seconds = time.perf_counter() - start
    report, truth = estimate.report, measured[list(estimate.registered)]
    registered_pairs = pair_errors(estimate.cameras.cam_from_world, truth.cam_from_world)
    pairs = all_pairs(registered_pairs, len(photographs))
    found = {
        "registered": len(estimate.registered),
        **_errors(registered_pairs, estimate, truth),
        **pair_shares("capture", pairs),
        "reprojection_error_px": round(report.reprojection_error_px or 0.0, 3),
        "track_length": round(report.track_length or 0.0, 2),
        "method": report.method,
        "failed": report.failed,
    }
    return row | found | {"seconds": round(seconds, 2)}, pairs


def all_pairs(registered: PairErrors, num_photographs: int) -> PairErrors:
    """The errors of the pairs of registered photographs, and of the other pairs behind them."""
    others = math.comb(num_photographs, 2) - len(registered.rotation_deg)
    return PairErrors(*(pad(errors, (0, others), value=UNREGISTERED_DEG) for errors in registered))


def pair_shares(of: str, pairs: PairErrors) -> dict[str, float]:
    """AUC and recall over pairs; `of` ("capture" or "pooled") begins their names, and says which pairs these are."""
    return {
        **{f"{of}_auc_{limit}": round(auc_exact(pairs.largest_deg, limit), 3) for limit in (5, 10, 20)},
        f"{of}_auc_30_binned": round(auc_binned(pairs.largest_deg), 3),
        f"{of}_rra_15": round(recall(pairs.rotation_deg, 15), 3),
        f"{of}_rta_15": round(recall(pairs.translation_deg, 15), 3),
    }


def _errors(pairs: PairErrors, estimate: PoseEstimate, measured: Cameras) -> dict[str, float]:
    """Errors of an estimate against the measured cameras of the registered photographs.

    Returns:
        "rotation_deg", "rotation_max_deg": angle between estimated and measured relative rotation, median and maximum
        over `pairs`, those of registered photographs; "translation_deg": median angle between the directions of the
        relative translations, opposite ones counting as equal; "center_percent": median distance of the camera centres
        after the best similarity, in percent of the largest distance between measured centres (three photographs or
        more); "focal_ratio": estimated over measured focal length, median.
    """
    focal_ratio = estimate.cameras.K[:, 0, 0] / measured.K[:, 0, 0].to(estimate.cameras.K)
    errors = {
        "rotation_deg": round(float(pairs.rotation_deg.median()), 3),
        "rotation_max_deg": round(float(pairs.rotation_deg.max()), 3),
        "translation_deg": round(float(pairs.translation_deg.median()), 3),
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


def _summary(captures: list[tuple[dict[str, Any], PairErrors]]) -> dict[str, Any]:
    rows = [row for row, _ in captures]
    pooled = PairErrors(*(torch.cat(errors) for errors in zip(*(pairs for _, pairs in captures), strict=True)))
    placed = [row for row in rows if row["registered"]]
    names = ("rotation_deg", "translation_deg", "center_percent", "reprojection_error_px")
    values = {name: [row[name] for row in placed if name in row] for name in names}
    return {
        "complete": sum(row["registered"] == row["photographs"] for row in rows),
        "of": len(rows),
        **{f"median_{name}": round(median(known), 3) for name, known in values.items() if known},
        **pair_shares("pooled", pooled),
        "median_seconds": median(row["seconds"] for row in rows),
        "max_seconds": max(row["seconds"] for row in rows),
    }
