"""The surface, in Gradio's own viewer of models."""

import gradio as gr
from gradio.components import Component

from app.web import texts
from app.web.jobs.work import RESULT
from app.web.page.context import TabContext
from app.web.page.finished import Finished

TITLE = texts.MESH_TAB
FILE = "mesh.glb"


def build(context: TabContext) -> list[Component]:
    """One viewer."""
    return [gr.Model3D(label=texts.MESH_TAB, height=560, interactive=False, elem_id="mesh")]


def fill(done: Finished) -> list:
    """The mesh."""
    return [str(done.folder / RESULT / FILE)]


def is_shown(done: Finished) -> bool:
    """Where one was asked for."""
    return done.has(FILE)
