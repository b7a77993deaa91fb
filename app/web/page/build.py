"""The whole page: its parts, and what happens when they are used."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import gradio as gr

from app.web import texts
from app.web.engine import Engine
from app.web.jobs.events import Failed
from app.web.page.api import add_api
from app.web.page.drafting import connect_photographs
from app.web.page.handler_options import NO_LIMIT, QUIET
from app.web.page.parts import Parts, lay_out
from app.web.page.progress import Shown, end_card, progress_card
from app.web.page.settings import settings_from
from app.web.page.watching import Updates, watched
from app.web.uploads.folder import SECONDS_KEPT
from recon.errors import InputError, ReconError

CACHE_SECONDS = (600, round(SECONDS_KEPT))
"""How often Gradio looks through the uploads that it knows of, and how old they may become."""


def build_page(engine: Engine, examples: list[Path]) -> gr.Blocks:
    """The page.

    Args:
        engine: Runs the jobs.
        examples: Photographs of the sample; empty for none.
    """
    with gr.Blocks(title=texts.TITLE, analytics_enabled=False, delete_cache=CACHE_SECONDS, fill_width=True) as page:
        parts = lay_out(engine, examples)
        connect_photographs(parts, engine, examples)
        _connect_jobs(page, parts, engine)
        add_api(engine, parts.settings)
    return page


def _connect_jobs(page: gr.Blocks, parts: Parts, engine: Engine) -> None:
    """Starting, watching, stopping, and coming back to a job."""
    hours = engine.limits.time_to_live_seconds / 3600

    def start(job: str | None, draft: list[str], *values: Any) -> tuple:
        if engine.is_at_work(job):  # its address and its Stop would be lost
            return gr.skip(), gr.skip(), gr.skip()
        try:
            if not draft:
                raise InputError(texts.NO_PHOTOGRAPHS)
            job = engine.submit([Path(path) for path in draft], settings_from(*values))
        except ReconError as error:
            return None, end_card(Failed("", error.message, error.hint)), gr.update(visible=False)
        return job, progress_card(Shown(job), hours), gr.update(visible=False)

    def resume(request: gr.Request) -> str | None:
        asked = request.query_params.get("job")
        return asked if isinstance(asked, str) and asked else None

    async def watch(job: str | None) -> AsyncIterator[Updates]:
        async for updates in watched(parts, engine, job, hours):
            yield updates

    def stop(job: str | None) -> None:
        if job:
            engine.cancel(job)

    settings = parts.settings.components
    outputs = [parts.job, parts.status, parts.results]
    started = parts.run.click(start, [parts.job, parts.draft, *settings], outputs, **QUIET)
    started.then(watch, [parts.job], parts.shown, concurrency_limit=NO_LIMIT, **QUIET)
    returned = page.load(resume, None, [parts.job], **QUIET)
    returned.then(watch, [parts.job], parts.shown, concurrency_limit=NO_LIMIT, **QUIET)
    parts.cancel.click(stop, [parts.job], None, concurrency_limit=NO_LIMIT, **QUIET)
