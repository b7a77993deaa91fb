"""What is where on the page."""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import ModuleType

import gradio as gr
from gradio.blocks import BlockContext
from gradio.components import Component

from app.web import texts
from app.web.engine import Engine
from app.web.page.context import TabContext
from app.web.page.photographs import FILE_TYPES, STRIP_SCRIPT
from app.web.page.settings import SettingsForm, build_settings
from app.web.page.tabs import TABS
from app.web.page.welcome import example_button, head, welcome


@dataclass(frozen=True)
class TabParts:
    """One tab of the result.

    Attributes:
        kind: Its module, which fills it.
        tab: Shown where it has something to show.
        contents: Components in it.
    """

    kind: ModuleType
    tab: gr.Tab
    contents: list[Component]


@dataclass(frozen=True)
class Parts:
    """The components that handlers read and write.

    Attributes:
        job: Id of the job that is shown; its value stays on the server, as that of the next two.
        draft: Paths of the uploads, in the order of the person.
        chosen: The same without an order: the set that is looked at before a job.
    """

    job: gr.State
    draft: gr.State
    chosen: gr.State
    drop: gr.File
    strip: gr.HTML
    notes: gr.HTML
    example: gr.HTML
    settings: SettingsForm
    run: gr.Button
    status: gr.HTML
    cancel: gr.Button
    early: gr.HTML
    results: gr.Column
    tabs: list[TabParts]

    @property
    def shown(self) -> list[Component | BlockContext]:
        """Outputs of whoever tells about a job."""
        tabs, contents = [part.tab for part in self.tabs], chain(*(part.contents for part in self.tabs))
        return [self.status, self.cancel, self.early, self.run, self.results, *tabs, *contents]


def lay_out(engine: Engine, examples: list[Path]) -> Parts:
    """All components, inside the blocks of the caller.

    Args:
        engine: Runs the jobs.
        examples: Photographs of the sample; empty for none.
    """
    job, draft, chosen = gr.State(None), gr.State([]), gr.State([])
    gr.HTML(head(), elem_id="head")
    with gr.Row(elem_id="work"):
        with gr.Column(scale=4, min_width=320, elem_id="input"):
            drop = gr.File(
                label=texts.PHOTOGRAPHS, show_label=False, file_count="multiple", file_types=FILE_TYPES, height=140,
                elem_id="drop",
            )  # fmt: skip
            thumbnails = gr.HTML(elem_id="strip", js_on_load=STRIP_SCRIPT, visible=False)
            notes = gr.HTML(elem_id="notes", visible=False)
            example = gr.HTML(example_button(examples), elem_id="example", visible=bool(examples))
            settings = build_settings()
            run = gr.Button(texts.RUN, variant="primary", size="lg", interactive=False, elem_id="run")
        with gr.Column(scale=8, min_width=320, elem_id="output"):
            status = gr.HTML(welcome(), elem_id="status")
            cancel = gr.Button(texts.CANCEL, variant="secondary", visible=False, elem_id="cancel")
            early = gr.HTML(elem_id="early", visible=False)
            with gr.Column(visible=False, elem_id="results") as results:
                tabs = _lay_out_tabs(TabContext(engine, job))
    return Parts(
        job, draft, chosen, drop, thumbnails, notes, example, settings, run, status, cancel, early, results, tabs
    )


def _lay_out_tabs(context: TabContext) -> list[TabParts]:
    parts = []
    with gr.Tabs():
        for kind in TABS:
            with gr.Tab(kind.TITLE, id=kind.__name__, visible=kind is TABS[0]) as tab:
                parts.append(TabParts(kind, tab, kind.build(context)))
    return parts
