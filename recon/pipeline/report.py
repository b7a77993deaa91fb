"""What a run tells about itself."""

import resource
import sys
from dataclasses import asdict
from typing import Any

from recon.pipeline.config import PipelineConfig
from recon.pipeline.loading import Source
from recon.pipeline.protocols import GaussianReconstructor
from recon.pipeline.versions import library_versions
from recon.pipeline.view_plan import ViewPlan
from recon.types import PoseEstimate, Provenance, ViewSet


def provenance(reconstructor: GaussianReconstructor, pose: PoseEstimate, config: PipelineConfig) -> Provenance:
    """Everything that is needed to make the scene again."""
    return Provenance(
        model=reconstructor.name,
        weights_sha256=reconstructor.weights_sha256,
        pose_source=pose.source,
        config=asdict(config) | {"resolution": config.long_side_px, "network_views": config.network_views},
        versions=library_versions(),
        seed=config.seed,
    )


def pose_facts(source: Source, pose: PoseEstimate) -> dict[str, Any]:
    """How the cameras were found, and which photographs have none."""
    report = pose.report
    return {
        **report.detail,
        "source": pose.source,
        "method": report.method,
        "registered": len(pose.registered),
        "total": len(source.photographs),
        "failed": report.failed,
        "reprojection_error_px": report.reprojection_error_px,
        "track_length": report.track_length,
    }


def view_uses(views: ViewSet, plan: ViewPlan) -> dict[str, str]:
    """What each view was used for, by its name."""
    uses = {i: f"network, group {number}" for number, group in enumerate(plan.groups, 1) for i in group}
    uses |= dict.fromkeys(plan.rest, "refinement only")
    if plan.held_back is not None:
        seen = uses.get(plan.held_back)
        uses[plan.held_back] = f"{seen}; held back from refinement" if seen else "held back to measure"
    return {name: uses.get(i, "not used") for i, name in enumerate(views.names)}


def peak_rss_mb() -> int:
    """Largest resident memory of this process so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak / 1e3)
