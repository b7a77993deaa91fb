"""What programs call through `gradio_client`: the same engine as the page."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import gradio as gr

from app.web.engine import Engine
from app.web.jobs.events import Done, Event, Failed, Made, Progress, Waiting
from app.web.page.finished import finished
from app.web.page.settings import SettingsForm, settings_from
from recon.errors import ReconError


def add_api(engine: Engine, settings: SettingsForm) -> None:
    """Add the endpoints `/reconstruct` and `/cancel`; nothing of them is seen on the page."""

    # The names of the parameters are those that clients use; their order is that of SettingsForm.
    async def reconstruct(
        files: list[str] | None,
        quality: str,
        mesh: bool,
        exports: list[str],
        poses: str,
        views: float,
        fps: float,
        seed: float,
    ) -> AsyncIterator[dict]:
        """Photographs, a video or a zip in; what happens, and at last the addresses of the files, out."""
        try:
            chosen = settings_from(quality, mesh, exports, poses, views, fps, seed)
            job = await asyncio.to_thread(engine.submit, [Path(path) for path in files or ()], chosen)
            async for event in _one_by_one(engine.watch(job)):
                if isinstance(event, Waiting):
                    yield {"job": job, "state": "waiting", "position": event.position}
                elif isinstance(event, Progress):
                    yield {"job": job, "state": "running"} | vars(event)
                elif isinstance(event, Done):
                    yield await asyncio.to_thread(_result, engine, job)
                elif isinstance(event, Failed):
                    raise gr.Error(f"{event.message}\n{event.hint}".strip(), print_exception=False)
                elif not isinstance(event, Made):
                    yield {"job": job, "state": type(event).__name__.lower()}
        except ReconError as error:
            raise gr.Error(str(error), print_exception=False) from error

    def cancel(job: str) -> dict:
        """End a job at once and remove its files."""
        try:
            return {"job": job, "state": engine.cancel(job).state}
        except ReconError as error:
            raise gr.Error(str(error), print_exception=False) from error

    files = gr.File(label="files", file_count="multiple", visible=False)
    job = gr.Textbox(label="job", visible=False)
    answer = gr.JSON(visible=False)
    start, stop = gr.Button(visible=False), gr.Button(visible=False)
    start.click(reconstruct, [files, *settings.components], answer, api_name="reconstruct", concurrency_limit=None)
    stop.click(cancel, job, answer, api_name="cancel", concurrency_limit=None)


async def _one_by_one(watched: AsyncIterator[Sequence[Event]]) -> AsyncIterator[Event]:
    async for events in watched:
        for event in events:
            yield event


def _result(engine: Engine, job: str) -> dict:
    done = finished(engine, job)
    if done is None:
        raise gr.Error("the job is not done", print_exception=False)
    files = [
        {"name": file.name, "bytes": file.num_bytes, "address": done.address(f"result/{file.name}")}
        for file in done.downloads
    ]
    return {"job": job, "state": "done", "seconds": done.seconds, "files": files, "report": done.report}
