"""What a watched job changes on the page, component by component, without a browser."""

import asyncio
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from app.web import texts
from app.web.engine import Engine
from app.web.page.parts import Parts, lay_out
from app.web.page.watching import watched
from tests.browsing import sample_files


@pytest.fixture
def engine(worker_modules: None, tmp_path: Path):
    with Engine(root=tmp_path, worker="staged_worker") as engine:
        yield engine


@pytest.fixture
def parts(engine: Engine) -> Parts:
    with gr.Blocks():
        return lay_out(engine, [])


def updates_of(parts: Parts, engine: Engine, job: str | None) -> list[dict[Any, Any]]:
    async def collect() -> list[dict[Any, Any]]:
        return [updates async for updates in watched(parts, engine, job, 1.0)]

    return asyncio.run(collect())


def test_every_update_is_of_outputs_and_the_last_shows_the_result(parts: Parts, engine: Engine):
    updates = updates_of(parts, engine, engine.submit(sample_files(2)))
    outputs = {part._id for part in parts.shown}
    assert all(component._id in outputs for update in updates for component in update)
    before, last = updates[:-2], updates[-1]
    assert before
    assert all(update[parts.results] == gr.update(visible=False) for update in before)
    assert all(update[parts.cancel] == gr.update(visible=True) for update in before)
    assert last[parts.results] == gr.update(visible=True)
    assert last[parts.run] == gr.update(interactive=True)
    shown = {part.kind.TITLE for part in parts.tabs if last[part.tab]["visible"]}
    assert shown == {kind.kind.TITLE for kind in parts.tabs} - {texts.MESH_TAB}
    with_contents = {part.kind.TITLE for part in parts.tabs if part.contents[0] in last}
    assert with_contents == shown


def test_an_unknown_job_is_told_as_gone(parts: Parts, engine: Engine):
    (update,) = updates_of(parts, engine, "x" * 32)
    assert texts.GONE_TITLE in update[parts.status]
    assert update[parts.run] == gr.update(interactive=True)


def test_a_result_that_cannot_be_read_ends_in_words(parts: Parts, engine: Engine):
    job = engine.submit(sample_files(2))
    list(engine.events(job, timeout=60))
    (engine.folder(job) / "result" / "scene.json").write_text("{}")
    last = updates_of(parts, engine, job)[-1]
    assert texts.FAILED_TITLE in last[parts.status] or texts.GONE_TITLE in last[parts.status]
    assert last[parts.results] == gr.update(visible=False)


def test_without_a_job_nothing_changes(parts: Parts, engine: Engine):
    (update,) = updates_of(parts, engine, None)
    assert update == {parts.status: gr.skip()}
