"""Poses without a network: SIFT, then XFeat where SIFT falls short, each with two-view geometry as the last resort."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pycolmap

from recon.errors import InputError, PoseError
from recon.sfm.config import SfmConfig
from recon.sfm.match_graph import MatchGraph
from recon.sfm.quiet import quiet_colmap
from recon.sfm.reasons import reason_for_failure
from recon.sfm.result import normalise_frame, observe, to_cameras, well_triangulated
from recon.sfm.search import Candidate, find_model, refine
from recon.sfm.sift import match_sift
from recon.sfm.support import registered_images
from recon.sfm.workspace import open_workspace
from recon.sfm.xfeat import match_sift_and_xfeat, why_no_xfeat
from recon.types import Photograph, PoseEstimate, PoseReport

_OVERLAP_HINT = (
    "neighbouring photographs should show at least half of the same things, taken from places some steps apart, "
    "in focus and with texture"
)


class SfmPoseEstimator:
    """Camera poses by structure from motion.

    Photographs that share `camera_id` and size share a focal length and one radial distortion term; the principal
    point is taken to be the centre. A focal length that the camera wrote down is the starting value.

    World frame of the result: the first registered photograph's camera is the identity (OpenCV axes), and the unit of
    length is the median depth of the points that this camera sees. The true scale cannot be known from photographs.

    The result repeats exactly for the same photographs, seed and version of pycolmap.

    Args:
        config: Options.
    """

    def __init__(self, config: SfmConfig | None = None):
        self.config = config or SfmConfig()
        self.fingerprint = repr(self.config)

    def estimate(
        self,
        photographs: list[Photograph],
        *,
        seed: int = 0,
        progress: Callable[[str, float], None] = lambda message, done: None,
    ) -> PoseEstimate:
        """Cameras of those photographs that can be placed in one world; the report names the others and why.

        `progress` is told what is being done and the part that is done, by typical shares of the time.

        Raises:
            InputError: Fewer than two photographs.
            PoseError: No two photographs can be placed.
            ResourceError: The folder for temporary files cannot be written.
        """
        if len(photographs) < 2:
            raise InputError(
                f"poses need at least 2 photographs, found {len(photographs)}",
                hint="poses come from what photographs share: take more of the same scene, or give poses",
            )
        start = time.perf_counter()
        with quiet_colmap(), open_workspace(photographs, self.config.long_side_px) as workspace:
            progress("finding and matching features", 0.0)
            graph = match_sift(workspace, self.config, seed)
            progress("placing cameras", 0.5)
            best = find_model(graph, workspace, self.config, seed)
            xfeat = "not needed"
            if _num_registered(best) < len(photographs):
                xfeat = why_no_xfeat(len(photographs), self.config) or "tried"
            if xfeat == "tried":
                progress("trying other features", 0.6)
                graph = match_sift_and_xfeat(graph, workspace, self.config, seed)
                other = find_model(graph, workspace, self.config, seed)
                # SIFT keypoints are the more exact ones, so XFeat must win by number.
                if _num_registered(other) > _num_registered(best):
                    best, xfeat = other, "used"
            progress("adjusting cameras", 0.9)
            model = refine(best, self.config) if best else pycolmap.Reconstruction()
            if best is None or len(registered_images(model)) < 2:
                raise _no_model(photographs, graph, xfeat)
        return _to_estimate(photographs, best, model, xfeat, time.perf_counter() - start)


def _num_registered(candidate: Candidate | None) -> int:
    return 0 if candidate is None else len(candidate.registered)


def _no_model(photographs: list[Photograph], graph: MatchGraph, xfeat: str) -> PoseError:
    reasons = [
        f"{photograph.name}: {reason_for_failure(index, (), graph, photographs, {})}"
        for index, photograph in enumerate(photographs)
    ]
    hint = _OVERLAP_HINT if xfeat == "tried" else f"{_OVERLAP_HINT}. XFeat: {xfeat}"
    return PoseError(
        f"no two of {len(photographs)} photographs could be placed in one scene\n  " + "\n  ".join(reasons), hint=hint
    )


def _to_estimate(
    photographs: list[Photograph], best: Candidate, model: pycolmap.Reconstruction, xfeat: str, seconds: float
) -> PoseEstimate:
    normalise_frame(model, photographs)
    cameras, distortion = to_cameras(model, photographs)
    images = registered_images(model)
    errors_px = np.concatenate([observe(model, image, photographs[i]).errors_px for i, image in images.items()])
    failed = {
        photographs[i].name: reason_for_failure(i, tuple(images), best.graph, photographs, best.contradicted)
        for i in range(len(photographs))
        if i not in images
    }
    detail: dict[str, Any] = {
        "registered": f"{len(images)}/{len(photographs)}",
        "focal_px": [round(float(focal), 2) for focal in cameras.K[:, 0, 0]],
        "explained_matches": round(best.score / max(1, best.graph.num_matches), 3),
        "num_matches": best.graph.num_matches,
        "num_points": model.num_points3D(),
        "xfeat": xfeat,
    }
    report = PoseReport(
        method=f"{best.method}, bundle adjustment (pycolmap {pycolmap.__version__})",
        failed=failed,
        reprojection_error_px=float(errors_px.mean()),
        track_length=float(model.compute_mean_track_length()),
        seconds=seconds,
        detail=detail,
    )
    estimate = PoseEstimate(
        source="sfm",
        registered=tuple(images),
        cameras=cameras,
        distortion=distortion,
        points=well_triangulated(model),
        report=report,
    )
    return estimate.validate(photographs)
