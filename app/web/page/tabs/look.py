"""Look around: the scene viewer in a frame."""

import gradio as gr
from gradio.components import Component

from app.web import texts
from app.web.page.context import TabContext
from app.web.page.finished import Finished
from app.web.page.markup import tag, text

TITLE = texts.LOOK


def build(context: TabContext) -> list[Component]:
    """One frame."""
    return [gr.HTML(elem_id="look")]


def fill(done: Finished) -> list:
    """The whole scene."""
    return [frame(done.id, "result", texts.LOOK_HELP)]


def is_shown(done: Finished) -> bool:
    """Always."""
    return True


def frame(job: str, what: str, words: str, *, is_early: bool = True) -> str:
    """HTML: the viewer of one of `app.web.routes.VIEWS`, with words below it.

    Args:
        job: Its id.
        what: Is shown.
        words: What it is, or how it is used.
        is_early: Whether it is loaded at once, not only when it comes into sight.
    """
    address = f"jobs/{job}/view/{what}/"
    start = "#plain&cameras" if what == "poses" else "#plain"
    loading = "eager" if is_early else "lazy"
    window = tag("iframe", src=address + start, title=words, loading=loading, allow="fullscreen")
    link = tag("a", text(texts.LOOK_OPEN), href=address, target="_blank", rel="noopener")
    below = tag("span", text(words)) + link
    return tag("div", window, class_="viewer") + tag("div", below, class_="under")
