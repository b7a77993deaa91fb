"""Scores of an evaluation: the mean over the views of each scene, then the mean over scenes.

What was not measured, such as LPIPS without its weights, stays apart from what was: None, never 0.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recon.errors import InputError, UnusableCaptureError

NOT_MEASURED = "not measured"
NOT_FINITE = "score not finite"

Score = float | None


@dataclass(frozen=True)
class SceneScores:
    """One scene.

    Attributes:
        name: Of the capture.
        scores: Mean over the views by the name of the metric; None where it was not measured.
    """

    name: str
    scores: Mapping[str, Score]


def scene_scores(name: str, views: Mapping[str, Sequence[float] | None]) -> SceneScores:
    """The mean over the target views of each metric.

    Args:
        name: Of the capture.
        views: Value of each view by the name of the metric; None where the metric was not measured.

    Raises:
        InputError: A metric has no value.
        UnusableCaptureError: It has one that is not finite.
    """
    return SceneScores(
        name, {metric: None if values is None else _mean(name, metric, values) for metric, values in views.items()}
    )


def data_set_scores(scenes: Sequence[SceneScores]) -> dict[str, Score]:
    """The mean over scenes of each metric, all scenes counting the same whatever their number of views.

    Returns:
        In the order of the first scene. None where no scene has it.

    Raises:
        InputError: No scene, a scene that comes twice, scenes with different metrics, or a metric that was measured on
            some scenes only: its mean could not be compared with that of the others.
    """
    if not scenes:
        raise InputError("no scene was evaluated, expected at least one")
    names = [scene.name for scene in scenes]
    if len(set(names)) != len(names):
        raise InputError(f"scores of {len(names)} scenes with {len(set(names))} names, expected each scene once")
    means: dict[str, Score] = {}
    for metric in scenes[0].scores:
        values = [_score(scene, metric) for scene in scenes]
        measured = [value for value in values if value is not None]
        if measured and len(measured) != len(values):
            first = names[values.index(None)]
            raise InputError(f"{metric} was measured on {len(measured)} of {len(values)} scenes, not on {first}")
        means[metric] = _mean("the data set", metric, measured) if measured else None
    return means


def table(scenes: Sequence[SceneScores], *, digits: int = 3) -> list[list[str]]:
    """Rows of text: a header, each scene, and the mean over scenes; what was not measured says so.

    Raises:
        InputError: As `data_set_scores`.
    """
    means = data_set_scores(scenes)
    rows = [(scene.name, scene.scores) for scene in scenes] + [(f"mean of {len(scenes)}", means)]
    return [
        ["scene", *means],
        *([name, *(_shown(scores[metric], digits) for metric in means)] for name, scores in rows),
    ]


def _score(scene: SceneScores, metric: str) -> Score:
    if metric not in scene.scores:
        raise InputError(f"{scene.name} has no {metric}, expected the same metrics of every scene")
    return scene.scores[metric]


def _mean(name: str, metric: str, values: Sequence[float]) -> float:
    if not values:
        raise InputError(f"{name}: no value of {metric}, expected one per view")
    if not all(math.isfinite(value) for value in values):
        raise UnusableCaptureError(NOT_FINITE, f"{name}: {metric} is not finite")
    return math.fsum(values) / len(values)


def _shown(score: Score, digits: int) -> str:
    return NOT_MEASURED if score is None else f"{score:.{digits}f}"
