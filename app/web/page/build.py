"""The whole page: what is where, and what happens when it is used."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import BlockContext
from gradio.components import Component

from app.web import texts
from app.web.engine import Engine
from app.web.jobs.events import Failed
from app.web.page.api import add_api
from app.web.page.context import TabContext
from app.web.page.finished import Finished, finished
from app.web.page.markup import duration, tag, text
from app.web.page.photographs import FILE_TYPES, STRIP_SCRIPT, edited, strip, with_added
from app.web.page.progress import Shown, end_card, progress_card
from app.web.page.settings import SettingsForm, build_settings, settings_from
from app.web.page.tabs import TABS
from app.web.page.tabs.look import frame
from app.web.page.welcome import example_button, head, warning_box, warnings_of, welcome
from recon.errors import InputError, ReconError

log = logging.getLogger(__name__)
NO_LIMIT = None
CACHE_SECONDS = (600, 3600)
"""How often uploads are looked through, and how old they may become."""
SECONDS_FOR_TABS = 0.3
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class Parts:
    """The components that handlers write to."""

    job: gr.State
    draft: gr.State
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
    tabs: list[gr.Tab]
    contents: list[list[Component]]

    @property
    def shown(self) -> list[Component | BlockContext]:
        """Outputs of whoever tells about a job."""
        return [self.status, self.cancel, self.early, self.run, self.results, *self.tabs, *chain(*self.contents)]


def build_page(engine: Engine, examples: list[Path]) -> gr.Blocks:
    """The page.

    Args:
        engine: Runs the jobs.
        examples: Photographs of the sample; empty for none.
    """
    with gr.Blocks(title=texts.TITLE, analytics_enabled=False, delete_cache=CACHE_SECONDS, fill_width=True) as page:
        parts = _lay_out(engine, examples)
        _connect_photographs(parts, engine, examples)
        _connect_jobs(page, parts, engine)
        add_api(engine, parts.settings)
    return page


def _lay_out(engine: Engine, examples: list[Path]) -> Parts:
    job, draft = gr.State(None), gr.State([])
    gr.HTML(head(), elem_id="head")
    with gr.Row(elem_id="work"):
        with gr.Column(scale=4, min_width=320, elem_id="input"):
            drop = gr.File(
                label=texts.PHOTOGRAPHS,
                show_label=False,
                file_count="multiple",
                file_types=FILE_TYPES,
                height=140,
                elem_id="drop",
            )
            thumbnails = gr.HTML(elem_id="strip", js_on_load=STRIP_SCRIPT, visible=False)
            warnings = gr.HTML(elem_id="notes", visible=False)
            example = gr.HTML(example_button(examples), elem_id="example", visible=bool(examples))
            settings = build_settings()
            run = gr.Button(texts.RUN, variant="primary", size="lg", interactive=False, elem_id="run")
        with gr.Column(scale=8, min_width=320, elem_id="output"):
            status = gr.HTML(welcome(), elem_id="status")
            cancel = gr.Button(texts.CANCEL, variant="secondary", visible=False, elem_id="cancel")
            early = gr.HTML(elem_id="early", visible=False)
            with gr.Column(visible=False, elem_id="results") as results:
                tabs, contents = _lay_out_tabs(TabContext(engine, job))
    return Parts(
        job, draft, drop, thumbnails, warnings, example, settings, run, status, cancel, early, results, tabs, contents
    )


def _lay_out_tabs(context: TabContext) -> tuple[list[gr.Tab], list[list[Component]]]:
    tabs, contents = [], []
    with gr.Tabs():
        for kind in TABS:
            with gr.Tab(kind.TITLE, id=kind.__name__, visible=kind is TABS[0]) as tab:
                contents.append(kind.build(context))
            tabs.append(tab)
    return tabs, contents


def _connect_photographs(parts: Parts, engine: Engine, examples: list[Path]) -> None:
    """Adding, removing and reordering what will be sent off."""
    folder = examples[0].parent if examples else None

    def show(draft: list[str]) -> tuple:
        return (
            draft,
            gr.update(value=strip(draft, folder), visible=bool(draft)),
            gr.update(visible=False),
            gr.update(visible=bool(examples) and not draft),
            gr.update(interactive=bool(draft)),
        )

    def check(draft: list[str]) -> dict:
        words = warnings_of(engine, draft)
        return gr.update(value=warning_box(words), visible=bool(words))

    def add(draft: list[str], added: list[str] | None) -> tuple:
        return (None, *show(with_added(draft, [str(path) for path in added or ()])))

    def take_example() -> tuple:
        return show([str(path) for path in examples])

    def edit(draft: list[str], event: gr.EventData) -> tuple:
        said = event._data if isinstance(event._data, dict) else {}
        return show(edited(draft, said.get("do"), said.get("index"), said.get("to")))

    outputs = [parts.draft, parts.strip, parts.notes, parts.example, parts.run]
    changes = [
        parts.drop.upload(add, [parts.draft, parts.drop], [parts.drop, *outputs], **QUIET),
        parts.example.click(take_example, None, outputs, **QUIET),
        parts.strip.click(edit, [parts.draft], outputs, **QUIET),
    ]
    for change in changes:
        change.then(check, [parts.draft], [parts.notes], concurrency_limit=NO_LIMIT, **QUIET)


def _connect_jobs(page: gr.Blocks, parts: Parts, engine: Engine) -> None:
    """Starting, watching, stopping, and coming back to a job."""
    hours = engine.limits.time_to_live_seconds / 3600

    def start(draft: list[str], *values: Any) -> tuple:
        try:
            if not draft:
                raise InputError(texts.NO_PHOTOGRAPHS)
            job = engine.submit([Path(path) for path in draft], settings_from(*values))
        except ReconError as error:
            return None, gr.update(value=end_card(Failed("", error.message, error.hint)), visible=True)
        return job, gr.update(value=progress_card(Shown(job), hours), visible=True)

    def resume(request: gr.Request) -> str | None:
        asked = request.query_params.get("job")
        return asked if isinstance(asked, str) and asked else None

    async def watch(job: str | None) -> AsyncIterator[list]:
        async for update in _watched(parts, engine, job, hours):
            yield update

    def stop(job: str | None) -> None:
        if job:
            engine.cancel(job)

    settings = parts.settings.components
    started = parts.run.click(start, [parts.draft, *settings], [parts.job, parts.status], **QUIET)
    started.then(watch, [parts.job], parts.shown, concurrency_limit=NO_LIMIT, **QUIET)
    returned = page.load(resume, None, [parts.job], **QUIET)
    returned.then(watch, [parts.job], parts.shown, concurrency_limit=NO_LIMIT, **QUIET)
    parts.cancel.click(stop, [parts.job], None, concurrency_limit=NO_LIMIT, **QUIET)


async def _watched(parts: Parts, engine: Engine, job: str | None, hours: float) -> AsyncIterator[list]:
    """Updates of `Parts.shown`, one for each thing that happens, up to the result.

    Each says all that holds at that moment: of updates that come close together, the page may take the last alone.
    """
    if not job:
        yield [gr.skip()] * len(parts.shown)
        return
    num_tabs, num_contents = len(parts.tabs), sum(map(len, parts.contents))
    still = [gr.skip()] * (num_tabs + num_contents)
    shown = Shown(job)
    early = _none()
    try:
        async for event in engine.watch(job):
            shown = shown.after(event)
            if shown.made in texts.LOOK_EARLY:
                early = gr.update(value=frame(job, shown.made, texts.LOOK_EARLY[shown.made]), visible=True)
            if shown.end is None:
                running = [gr.update(visible=True), early, gr.update(interactive=False), _none()]
                yield [progress_card(shown, hours), *running, *still]
        done = await asyncio.to_thread(finished, engine, job)
        if done is not None:
            titles, contents = await asyncio.to_thread(filled, done, [len(built) for built in parts.contents])
    except ReconError:
        yield [_gone(), _none(), _none(), gr.update(interactive=True), _none(), *still]
        return
    except Exception:  # whoever watches must hear of every end
        log.exception("the job %s cannot be shown", job)
        yield [end_card(Failed("", texts.NOT_SHOWN)), _none(), _none(), gr.update(interactive=True), _none(), *still]
        return
    again = gr.update(interactive=True)
    if done is None:
        end = shown.end or Failed("", texts.FAILED_TITLE)
        yield [end_card(end), _none(), _none(), again, _none(), *still]
        return
    shown_at_last = [summary(done), _none(), gr.update(value="", visible=False), again, gr.update(visible=True)]
    yield [*shown_at_last, *[gr.skip()] * num_tabs, *contents]
    await asyncio.sleep(SECONDS_FOR_TABS)  # they hear of it once they are there
    yield [*shown_at_last, *titles, *contents]


def filled(done: Finished, nums: list[int]) -> tuple[list, list]:
    """Updates of the tabs, and of what is in them.

    Args:
        done: The job.
        nums: How many components each tab has.
    """
    shown = [kind.is_shown(done) for kind in TABS]
    contents: list = []
    for kind, is_shown, num in zip(TABS, shown, nums, strict=True):
        contents += kind.fill(done) if is_shown else [gr.skip()] * num
    return [gr.update(visible=is_shown) for is_shown in shown], contents


def summary(done: Finished) -> str:
    """HTML: the result in one line."""
    poses = done.report["poses"]
    words = texts.DONE_SUMMARY.format(
        placed=poses["registered"], total=poses["total"], gaussians=f"{done.report['gaussians']:,}",
        seconds=duration(done.seconds),
    )  # fmt: skip
    left = tag("span", tag("b", text(texts.DONE)) + " " + tag("span", text(words), class_="soft"))
    return tag("section", left + tag("a", text(texts.AGAIN), href="./"), class_="summary", data_job=done.id)


def _gone() -> str:
    return tag("section", tag("h2", text(texts.GONE_TITLE)) + tag("p", text(texts.GONE)), class_="card", role="alert")


def _none() -> Any:
    return gr.update(visible=False)
