"""The flight through the cameras."""

import gradio as gr
from gradio.components import Component

from app.web import texts
from app.web.page.context import TabContext
from app.web.page.finished import Finished
from app.web.page.markup import tag

TITLE = texts.VIDEO
FILE = "turntable.mp4"


def build(context: TabContext) -> list[Component]:
    """One player."""
    return [gr.HTML(elem_id="video")]


def fill(done: Finished) -> list:
    """The video; the script of the page lets it play, without sound, unless the person wants nothing to move."""
    return [
        tag(
            "video", src=done.address(f"result/{FILE}"), class_="film", controls=True, muted=True, loop=True,
            playsinline=True, data_play=True, aria_label=texts.FILM,
        )
    ]  # fmt: skip


def is_shown(done: Finished) -> bool:
    """Where one was asked for."""
    return done.has(FILE)
