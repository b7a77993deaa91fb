"""The quality study as pictures."""

from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from app.benchmarks.blocks.curves import Result
from app.benchmarks.blocks.variants import BASELINE, FAMILIES
from recon.io.atomic import atomic_write

POINTS = 60
"""At which mean curves are drawn."""


def draw_plots(folder: Path, results: dict[str, Result]) -> list[Path]:
    """Write `blocks_time.svg` (PSNR against CPU seconds) and `blocks_macs.svg` (PSNR against multiply-adds)."""
    return [
        _save(folder / "blocks_time.svg", _curves(results)),
        _save(folder / "blocks_macs.svg", _scatter(results)),
    ]


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _curves(results: dict[str, Result]) -> Any:
    figure = _figure(10.0, 7.5)
    present = {title: [name for name in names if name in results] for title, names in FAMILIES.items()}
    drawn = {title: names for title, names in present.items() if names} or {"Blocks": []}
    rows, columns = -(-len(drawn) // 2), min(2, len(drawn))
    axes = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    for axis in axes[len(drawn) :]:
        axis.remove()
    for axis, (title, names) in zip(axes, drawn.items(), strict=False):
        for name in (BASELINE, *names):
            _draw_curve(axis, results[name])
        axis.set_title(title, loc="left", fontsize="medium")
        axis.tick_params(labelbottom=True)
        axis.set_xlabel("CPU seconds of training")
        axis.set_ylabel("PSNR of held-out rooms, dB")
        axis.grid(linewidth=0.3)
        axis.legend(fontsize="small", loc="lower right")
    return figure


def _draw_curve(axis: Any, result: Result) -> None:
    """Mean over seeds, and between lowest and highest a shade."""
    curves = [result.curve(run) for run in result.runs]
    times = np.linspace(max(t[0] for t, _ in curves), result.seconds, POINTS)
    values = np.stack([np.interp(times, t, psnr) for t, psnr in curves])
    colour = "black" if result.name == BASELINE else None
    (line,) = axis.plot(times, values.mean(0), linewidth=1.4, label=result.name, color=colour)
    axis.fill_between(times, values.min(0), values.max(0), alpha=0.15, linewidth=0, color=line.get_color())


def _scatter(results: dict[str, Result]) -> Any:
    figure = _figure(8.0, 5.5)
    axis = figure.subplots()
    for result in results.values():
        macs, finals = result.runs[0]["macs"] / 1e6, result.finals
        centre = mean(finals)
        reach = [[centre - min(finals)], [max(finals) - centre]]
        colour = "black" if result.name == BASELINE else None
        axis.errorbar(macs, centre, yerr=reach, marker="o", markersize=4, capsize=2, linewidth=0.8, color=colour)
        axis.annotate(result.name, (macs, centre), xytext=(5, 3), textcoords="offset points", fontsize=7)
    axis.margins(x=0.14)  # for the names of the last points
    axis.set_xlabel("million multiply-adds of a forward pass, in use")
    axis.set_ylabel("PSNR of held-out rooms, dB")
    axis.grid(linewidth=0.3)
    return figure


def _save(path: Path, figure: Any) -> Path:
    """As SVG that is the same for the same figures."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    with mpl.rc_context({"svg.hashsalt": "blocks", "svg.fonttype": "none"}), atomic_write(path) as part:
        FigureCanvasSVG(figure).print_svg(str(part), metadata={"Date": None})
    return path
