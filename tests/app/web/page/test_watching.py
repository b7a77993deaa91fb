"""What a watched job changes on the page, component by component, without a browser."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from app.web import texts
from app.web.engine import Engine
from app.web.jobs.events import Event
from app.web.page.parts import Parts, lay_out
from app.web.page.watching import watched
from tests.browsing import sample_files


@pytest.fixture
def engine(worker_modules: None, tmp_path: Path):
    with Engine(root=tmp_path, worker="staged_worker") as engine:
        yield engine


def updates_of(engine: Engine, job: str | None) -> tuple[Parts, list[dict[Any, Any]]]:
    async def collect() -> tuple[Parts, list[dict[Any, Any]]]:
        with gr.Blocks():  # which wants a running event loop, or leaves one of its own open
            parts = lay_out(engine, [])
        return parts, [updates async for updates in watched(parts, engine, job, 1.0)]

    return asyncio.run(collect())


def one_by_one(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events come one at a time, as of a worker that takes its time, also where the page is slower than the worker."""

    async def watch(id: str) -> AsyncIterator[list[Event]]:
        for event in engine.events(id, timeout=60):
            yield [event]

    monkeypatch.setattr(engine, "watch", watch)


def test_every_update_is_of_outputs_and_the_last_shows_the_result(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    one_by_one(engine, monkeypatch)
    parts, updates = updates_of(engine, engine.submit(sample_files(2)))
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


def test_what_is_made_on_the_way_is_shown_up_to_the_refined_scene(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    one_by_one(engine, monkeypatch)
    parts, updates = updates_of(engine, engine.submit(sample_files(2)))
    shown = [str(update[parts.early].get("value", "")) for update in updates]
    places = [[i for i, html in enumerate(shown) if f"/view/{what}/" in html] for what in texts.LOOK_EARLY]
    assert list(texts.LOOK_EARLY) == ["poses", "gaussians", "refinement"]
    assert all(places)
    assert max(places[0]) < min(places[1])
    assert max(places[1]) < min(places[2])
    assert shown[-1] == ""


def test_who_comes_back_to_a_finished_job_sees_the_result_at_once(engine: Engine):
    job = engine.submit(sample_files(2))
    assert len(list(engine.events(job, timeout=60))) > 5
    parts, updates = updates_of(engine, job)
    assert [update[parts.results] for update in updates] == [gr.update(visible=True)] * 2
    assert all(update[parts.early]["visible"] is False for update in updates)


def test_an_unknown_job_is_told_as_gone(engine: Engine):
    parts, (update,) = updates_of(engine, "x" * 32)
    assert texts.GONE_TITLE in update[parts.status]
    assert update[parts.run] == gr.update(interactive=True)


def test_a_result_that_cannot_be_read_ends_in_words(engine: Engine):
    job = engine.submit(sample_files(2))
    list(engine.events(job, timeout=60))
    (engine.folder(job) / "result" / "scene.json").write_text("{}")
    parts, updates = updates_of(engine, job)
    last = updates[-1]
    assert texts.FAILED_TITLE in last[parts.status]
    assert last[parts.results] == gr.update(visible=False)


def test_without_a_job_nothing_changes(engine: Engine):
    parts, (update,) = updates_of(engine, None)
    assert update == {parts.status: gr.skip()}
