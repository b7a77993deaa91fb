"""Depth and confidence, photograph by photograph."""

import gradio as gr
from gradio.components import Component

from app.web import texts
from app.web.page.context import TabContext
from app.web.page.finished import Finished
from app.web.page.markup import tag, text

TITLE = texts.DEPTH


def build(context: TabContext) -> list[Component]:
    """One sheet of pictures."""
    return [gr.HTML(elem_id="depth")]


def fill(done: Finished) -> list:
    """Of each view its depth and its confidence."""
    words = tag("p", text(f"{texts.DEPTH_HELP} {texts.CONFIDENCE_HELP}"), class_="soft small")
    figures = "".join(_figure(done, view) for view in done.views)
    return [words + tag("div", figures, class_="maps")]


def is_shown(done: Finished) -> bool:
    """Where there are pictures of the views."""
    return bool(done.views)


def _figure(done: Finished, view: dict) -> str:
    pictures = "".join(
        tag("img", src=done.address(f"preview/{view[kind]}"), alt=words.format(name=view["name"]), loading="lazy")
        for kind, words in (("depth", texts.DEPTH_OF), ("confidence", texts.CONFIDENCE_OF))
    )
    return tag("figure", tag("div", pictures, class_="pair") + tag("figcaption", text(view["name"])))
