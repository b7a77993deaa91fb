"""A job on the page, from the queue to the result: what each thing that happens changes there."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import gradio as gr

from app.web import texts
from app.web.engine import Engine
from app.web.jobs.events import Failed
from app.web.jobs.job import LAST
from app.web.page.finished import Finished, finished
from app.web.page.markup import duration, tag, text
from app.web.page.parts import Parts
from app.web.page.progress import Shown, end_card, gone_card, progress_card
from app.web.page.tabs.look import frame
from recon.errors import ReconError

log = logging.getLogger(__name__)
SECONDS_FOR_TABS = 0.3
Updates = dict[Any, Any]
"""Of components of `Parts.shown`."""


async def watched(parts: Parts, engine: Engine, job: str | None, hours: float) -> AsyncIterator[Updates]:
    """What changes on the page whenever something happens, up to the result.

    Each says all that holds at that moment: of updates that come close together, the page may take the last alone.

    Args:
        parts: Of the page.
        engine: Runs the job.
        job: Its id, as a browser says it; None for none.
        hours: How long results are kept.
    """
    if not job:
        yield {parts.status: gr.skip()}
        return
    shown, early = Shown(job), _none()
    try:
        async for events in engine.watch(job):
            for event in events:
                shown = shown.after(event)
            if shown.made in texts.LOOK_EARLY:
                early = gr.update(value=frame(job, shown.made, texts.LOOK_EARLY[shown.made]), visible=True)
            if not isinstance(events[-1], LAST):
                yield _running(parts, progress_card(shown, hours), early)
        done = await asyncio.to_thread(finished, engine, job)
        if done is None:
            yield _ended(parts, end_card(shown.end or Failed("", texts.FAILED_TITLE)))
            return
        contents = await asyncio.to_thread(_contents, parts, done)
    except ReconError:
        yield _ended(parts, gone_card())
    except Exception:  # whoever watches must hear of every end
        log.exception("a job cannot be shown")
        yield _ended(parts, end_card(Failed("", texts.NOT_SHOWN)))
    else:
        result = _result(parts, summary(done)) | contents
        yield result
        await asyncio.sleep(SECONDS_FOR_TABS)  # they hear of it once they are there
        yield result | {part.tab: gr.update(visible=part.kind.is_shown(done)) for part in parts.tabs}


def summary(done: Finished) -> str:
    """HTML: the result in one line."""
    poses = done.report["poses"]
    words = texts.DONE_SUMMARY.format(
        placed=poses["registered"], total=poses["total"], gaussians=f"{done.report['gaussians']:,}",
        seconds=duration(done.seconds),
    )  # fmt: skip
    left = tag("span", tag("b", text(texts.DONE)) + " " + tag("span", text(words), class_="soft"))
    again = tag("a", text(texts.AGAIN), href="./")
    return tag("section", left + again, class_="summary", data_job=done.id, data_say=f"{texts.DONE}. {words}")


def _running(parts: Parts, card: str, early: Any) -> Updates:
    can_stop = gr.update(visible=True)
    return _page(parts, card, can_stop, early, is_free=False, has_result=False)


def _ended(parts: Parts, card: str) -> Updates:
    return _page(parts, card, _none(), _none(), is_free=True, has_result=False)


def _result(parts: Parts, card: str) -> Updates:
    return _page(parts, card, _none(), gr.update(value="", visible=False), is_free=True, has_result=True)


def _page(parts: Parts, card: str, cancel: Any, early: Any, *, is_free: bool, has_result: bool) -> Updates:
    return {
        parts.status: card,
        parts.cancel: cancel,
        parts.early: early,
        parts.run: gr.update(interactive=is_free),
        parts.results: gr.update(visible=has_result),
    }


def _contents(parts: Parts, done: Finished) -> Updates:
    """Of the tabs that have something to show."""
    updates: Updates = {}
    for part in parts.tabs:
        if part.kind.is_shown(done):
            updates |= zip(part.contents, part.kind.fill(done), strict=True)
    return updates


def _none() -> Any:
    return gr.update(visible=False)
