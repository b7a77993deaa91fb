"""Figures: how far the result can be trusted, and what it cost."""

import gradio as gr
from gradio.components import Component

from app.web import texts
from app.web.page.context import TabContext
from app.web.page.finished import Finished
from app.web.page.markup import duration, table, tag, text
from recon.pipeline.stages import STAGES

TITLE = texts.QUALITY_TAB


def build(context: TabContext) -> list[Component]:
    """Figures and a table of times."""
    return [gr.HTML(elem_id="quality")]


def fill(done: Finished) -> list:
    """What was measured, each figure with what it means."""
    figures = "".join(tag("div", tag("b", text(value)) + tag("span", text(words))) for value, words in _figures(done))
    stages = done.report.get("seconds") or {}
    words = {stage.name: stage.words for stage in STAGES}
    rows = [
        tag("tr", tag("td", text(words.get(name, name))) + tag("td", text(duration(value)), class_="num"))
        for name, value in stages.items()
    ]
    honest = tag("p", text(texts.QUALITY_HELP), class_="soft small")
    return [tag("div", figures, class_="facts") + honest + table(texts.TIMES, rows, num=(1,))]


def is_shown(done: Finished) -> bool:
    """Always."""
    return True


def _figures(done: Finished) -> list[tuple[str, str]]:
    report = done.report
    poses, refinement = report["poses"], report.get("refinement") or {}
    uses = report.get("views") or {}
    scored: dict[bool, list[float]] = {True: [], False: []}
    for view in done.views:
        if view["psnr_db"] is not None:
            scored[str(uses.get(view["name"])).startswith("held")].append(view["psnr_db"])
    held_back, others = scored[True], scored[False]
    figures = [(f"{poses['registered']} of {poses['total']}", texts.FIGURE_PLACED)]
    if held_back:
        figures.append((f"{sum(held_back) / len(held_back):.1f} dB", texts.FIGURE_HELD_BACK))
    if others:
        figures.append((f"{sum(others) / len(others):.1f} dB", texts.FIGURE_SEEN))
    if refinement.get("psnr_before") is not None and refinement.get("psnr_after") is not None:
        figures.append((f"{refinement['psnr_after'] - refinement['psnr_before']:+.1f} dB", texts.FIGURE_REFINED))
    if poses.get("reprojection_error_px") is not None:
        figures.append((f"{poses['reprojection_error_px']:.2f} px", texts.FIGURE_REPROJECTION))
    figures.append((f"{report['gaussians']:,}", texts.FIGURE_GAUSSIANS))
    figures.append((duration(done.seconds), texts.FIGURE_TIME))
    if report.get("peak_rss_mb"):
        figures.append((f"{report['peak_rss_mb'] / 1000:.1f} GB", texts.FIGURE_MEMORY))
    return figures
