"""The best model that a set of matches supports."""

from dataclasses import dataclass, field

import pycolmap

from recon.sfm.config import SfmConfig
from recon.sfm.mapping import grow_model, map_incrementally
from recon.sfm.match_graph import MatchGraph, Pair, largest_place
from recon.sfm.refine import drop_weak, refine_model, refine_poses
from recon.sfm.support import drop_unsupported, measure_support, registered_images
from recon.sfm.two_view import RelativePose, estimate_relative_pose
from recon.sfm.two_view_model import two_view_model
from recon.sfm.workspace import Workspace

# From three photographs on, mapping can tell the focal length; with two it needs the prior of two-view geometry.
_MIN_MAPPED = 3
_MAX_PAIRS_TRIED = 5
_FULL_PARALLAX_DEG = 6.0
_MIN_TWO_VIEW_INLIERS = 20


@dataclass(frozen=True)
class Candidate:
    """A model and what speaks for it.

    Attributes:
        model: COLMAP's model, in pixels of the reduced photographs.
        graph: The matches that it is made from.
        method: In words.
        score: Weight of the matches that it explains.
        contradicted: Photographs that were taken out, and the share of their matches that agreed with the model.
    """

    model: pycolmap.Reconstruction
    graph: MatchGraph
    method: str
    score: float
    contradicted: dict[int, float] = field(default_factory=dict)

    @property
    def registered(self) -> tuple[int, ...]:
        """Indices of the photographs in the model, ascending."""
        return tuple(registered_images(self.model))


def find_model(graph: MatchGraph, workspace: Workspace, config: SfmConfig, seed: int) -> Candidate | None:
    """The model that explains most matches; None where no two photographs can be placed."""
    mapped = _map(graph, workspace, config, seed) if workspace.num_photographs >= _MIN_MAPPED else None
    if mapped and (_is_complete(mapped, workspace) or _is_convincing(mapped, workspace, config)):
        return mapped
    grown = _start_from_pair(graph, workspace, config, seed)
    found = [candidate for candidate in (mapped, grown) if candidate is not None]
    return max(found, key=lambda candidate: candidate.score, default=None)


def _map(graph: MatchGraph, workspace: Workspace, config: SfmConfig, seed: int) -> Candidate | None:
    best: Candidate | None = None
    for attempt in config.attempts:
        for model in map_incrementally(graph, workspace, attempt, config, seed):
            candidate = _supported(model, graph, f"{graph.features}, incremental mapping", config)
            if candidate and (best is None or candidate.score > best.score):
                best = candidate
        if best and _is_convincing(best, workspace, config):
            break
    return best


def _supported(model: pycolmap.Reconstruction, graph: MatchGraph, method: str, config: SfmConfig) -> Candidate | None:
    """The model without the photographs that its matches contradict; None if too few are left."""
    contradicted = drop_unsupported(model, graph, max_error_px=config.max_error_px, min_support=config.min_support)
    if len(registered_images(model)) < _MIN_MAPPED or model.num_points3D() == 0:
        return None
    score = measure_support(model, graph, config.max_error_px).score
    return Candidate(model, graph, method, score, contradicted)


def _is_convincing(candidate: Candidate, workspace: Workspace, config: SfmConfig) -> bool:
    """Whether no other attempt is likely to find more.

    Among many photographs there often are some that no attempt can place; what counts is that the model explains the
    matches of those that it places, also those with unplaced ones, and that no other place has more of them.
    """
    graph = candidate.graph
    if _is_complete(candidate, workspace):
        return candidate.score >= config.enough_explained * graph.num_matches
    if workspace.num_photographs <= config.max_few:
        return False
    placed = set(candidate.registered)
    touched = sum(len(pair) for pair in graph.pairs if pair.first in placed or pair.second in placed)
    return candidate.score >= max(config.enough_explained * touched, largest_place(graph, placed))


def _is_complete(candidate: Candidate, workspace: Workspace) -> bool:
    return len(candidate.registered) == workspace.num_photographs


def _start_from_pair(graph: MatchGraph, workspace: Workspace, config: SfmConfig, seed: int) -> Candidate | None:
    """Relative pose of the best pair, then all further photographs that fit."""
    found = _best_pair(graph, workspace, config, seed)
    if found is None:
        return None
    pair, pose = found
    model = refine_poses(two_view_model(graph, workspace, pair, pose))
    method = f"{graph.features}, two-view geometry"
    if workspace.num_photographs >= _MIN_MAPPED:
        grown = grow_model(model, graph, workspace, config, seed)
        candidate = _supported(grown, graph, f"{method}, then perspective-n-point", config)
        if candidate is not None:
            return candidate
    return Candidate(model, graph, method, measure_support(model, graph, config.max_error_px).score)


def _best_pair(
    graph: MatchGraph, workspace: Workspace, config: SfmConfig, seed: int
) -> tuple[Pair, RelativePose] | None:
    """Among the pairs with most matches the one with many explained matches and enough parallax."""
    best, best_value = None, 0.0
    for pair in graph.pairs[:_MAX_PAIRS_TRIED]:
        pose = estimate_relative_pose(pair, workspace.lens_of(pair.first), workspace.lens_of(pair.second), seed)
        if pose is None or not _is_usable(pose, graph, config):
            continue
        value = float(pose.inliers.sum()) * min(1.0, pose.parallax_deg / _FULL_PARALLAX_DEG)
        if value > best_value:
            best, best_value = (pair, pose), value
    return best


def _is_usable(pose: RelativePose, graph: MatchGraph, config: SfmConfig) -> bool:
    enough = pose.inliers.sum() >= max(graph.min_matches, _MIN_TWO_VIEW_INLIERS)
    return enough and pose.inliers.mean() >= config.min_support and pose.parallax_deg >= config.min_parallax_deg


def refine(candidate: Candidate, config: SfmConfig) -> pycolmap.Reconstruction:
    """Final bundle adjustment; what turns out weak is taken out, which may leave nothing of the model.

    The intrinsics of two views stay as two-view geometry found them.
    """
    if len(candidate.registered) < _MIN_MAPPED:
        model = refine_poses(candidate.model)
    else:
        model = refine_model(candidate.model, min_distortion_gain=config.min_distortion_gain)
    drop_weak(model)
    return model
