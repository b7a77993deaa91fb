"""The surface, in the viewer of this program: Gradio's own would copy the file to where no id of a job guards it."""

import gradio as gr
from gradio.components import Component

from app.web import texts
from app.web.page.context import TabContext
from app.web.page.finished import Finished
from app.web.page.tabs.look import frame

TITLE = texts.MESH_TAB
FILE = "mesh.glb"


def build(context: TabContext) -> list[Component]:
    """One frame."""
    return [gr.HTML(elem_id="mesh")]


def fill(done: Finished) -> list:
    """The surface, loaded once it is looked at."""
    return [frame(done.id, "mesh", texts.MESH_LOOK_HELP, is_early=False)]


def is_shown(done: Finished) -> bool:
    """Where one was asked for."""
    return done.has(FILE)
