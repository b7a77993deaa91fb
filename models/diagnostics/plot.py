"""The figures of all layers as curves over depth."""

import math
from pathlib import Path
from typing import Any, NamedTuple

from models.diagnostics.diagnosis import Diagnosis, LayerFigures

WIDTH, PANEL_HEIGHT = 12.0, 1.7
"""In inches, of 100 pixels."""


class Panel(NamedTuple):
    """One group of curves.

    Attributes:
        title: What is shown.
        curves: Label -> attribute of `LayerFigures`.
        log: Whether the axis is logarithmic; zeros are then left out.
        from_zero: Whether the axis begins at zero.
        line: Where a thin line helps to compare.
    """

    title: str
    curves: dict[str, str]
    log: bool = False
    from_zero: bool = False
    line: float | None = None


PANELS = (
    Panel("rotation, 1 - cos", {"": "rotation"}, from_zero=True, line=1.0),
    Panel("rank of the weights, share", {"hard": "hard_rank", "soft": "soft_rank"}, from_zero=True),
    Panel("tail exponent", {"": "tail"}),
    Panel("spectral norm, upper bound", {"": "norm_bound"}, log=True),
    Panel("RMS of the outputs", {"layers": "layer_rms", "blocks": "block_rms"}, log=True),
    Panel("rank of hidden units, share", {"hard": "hidden_hard", "soft": "hidden_soft"}, from_zero=True),
)


def draw(file: Path, diagnosis: Diagnosis, title: str) -> None:
    """Write a PNG with a panel for each kind of figure that is known."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = [panel for panel in PANELS if any(_known(diagnosis, name) for name in panel.curves.values())]
    figure = Figure(figsize=(WIDTH, PANEL_HEIGHT * len(panels) + 2.6), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for panel, axis in zip(panels, axes, strict=True):
        _draw_panel(axis, panel, diagnosis)
    groups = _groups(diagnosis.layers)
    axes[-1].set_xticks([start for start, _ in groups], [name for _, name in groups], rotation=90, fontsize=8)
    figure.savefig(file, format="png")


def _draw_panel(axis: Any, panel: Panel, diagnosis: Diagnosis) -> None:
    for label, name in panel.curves.items():
        points = [(x, y) for x, y in _known(diagnosis, name) if y > 0 or not panel.log]
        axis.margins(y=0.1)
        axis.plot([x for x, _ in points], [y for _, y in points], marker=".", linewidth=0.8, label=label)
    if panel.line is not None:
        axis.axhline(panel.line, color="grey", linewidth=0.6)
    if panel.log:
        axis.set_yscale("log")
    if panel.from_zero:
        axis.set_ylim(bottom=0)
    for start, _ in _groups(diagnosis.layers):
        axis.axvline(start - 0.5, color="lightgrey", linewidth=0.5, zorder=0)
    axis.set_title(panel.title, loc="left", fontsize="medium")
    if any(panel.curves):
        axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="small")


def _known(diagnosis: Diagnosis, name: str) -> list[tuple[int, float]]:
    """Number of the layer and figure, where there is a finite one."""
    values = [(i, getattr(layer, name)) for i, layer in enumerate(diagnosis.layers)]
    return [(i, value) for i, value in values if value is not None and math.isfinite(value)]


def _groups(layers: tuple[LayerFigures, ...]) -> list[tuple[int, str]]:
    """First layer and name of every part of the network; the blocks of a stack are parts of their own."""
    found: list[tuple[int, str]] = []
    for i, layer in enumerate(layers):
        words = layer.name.split(".")
        name = ".".join(words[:3]) if words[1:2] == ["blocks"] else words[0]
        if not found or found[-1][1] != name:
            found.append((i, name))
    return found
