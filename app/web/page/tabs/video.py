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
    """The video, which plays by itself, without sound."""
    address = done.address(f"result/{FILE}")
    return [
        tag("video", src=address, class_="film", controls=True, autoplay=True, muted=True, loop=True, playsinline=True)
    ]


def is_shown(done: Finished) -> bool:
    """Where one was asked for."""
    return done.has(FILE)
