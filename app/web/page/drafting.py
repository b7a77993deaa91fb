"""Adding, removing and reordering what will be sent off, and what looks wrong with it."""

from pathlib import Path
from typing import Any

import gradio as gr

from app.web.engine import Engine
from app.web.page.handler_options import QUIET
from app.web.page.parts import Parts
from app.web.page.photographs import edited, has_thumbnails, strip, with_added
from app.web.page.welcome import notes_about
from app.web.uploads.folder import keep

CHECKS_AT_ONCE = 2


def connect_photographs(parts: Parts, engine: Engine, examples: list[Path]) -> None:
    """Let the components of a draft act.

    Args:
        parts: Of the page.
        engine: Looks at uploads.
        examples: Photographs of the sample; empty for none.
    """
    folder = examples[0].parent if examples else None

    def show(draft: list[str], job: str | None) -> dict[Any, Any]:
        keep(map(Path, draft))
        return {
            parts.draft: draft,
            parts.chosen: sorted(draft),
            parts.strip: gr.update(value=strip(draft, folder), visible=bool(draft)),
            parts.example: gr.update(visible=bool(examples) and not draft),
            parts.run: gr.update(interactive=bool(draft) and not engine.is_at_work(job)),
        }

    def add(draft: list[str], job: str | None, added: list[str] | None) -> dict[Any, Any]:
        return show(with_added(draft, [str(path) for path in added or ()]), job) | {parts.drop: None}

    def take_example(job: str | None) -> dict[Any, Any]:
        return show([str(path) for path in examples], job)

    def edit(draft: list[str], job: str | None, event: gr.EventData) -> dict[Any, Any]:
        said = event._data if isinstance(event._data, dict) else {}
        return show(edited(draft, said.get("do"), said.get("index"), said.get("to")), job)

    def check(draft: list[str]) -> dict[str, Any]:
        notes = notes_about(engine, draft)
        return gr.update(value=notes, visible=bool(notes))

    def show_thumbnails(draft: list[str]) -> Any:
        return strip(draft, folder) if has_thumbnails(draft) else gr.skip()

    outputs = [parts.draft, parts.chosen, parts.strip, parts.example, parts.run]
    parts.drop.upload(add, [parts.draft, parts.job, parts.drop], [parts.drop, *outputs], **QUIET)
    parts.example.click(take_example, [parts.job], outputs, **QUIET)
    parts.strip.click(edit, [parts.draft, parts.job], outputs, **QUIET)
    # Not where the same photographs come in another order; of changes that come while one is looked at, the last.
    checked = parts.chosen.change(
        check, [parts.draft], [parts.notes], trigger_mode="always_last", concurrency_limit=CHECKS_AT_ONCE, **QUIET
    )
    checked.then(show_thumbnails, [parts.draft], [parts.strip], **QUIET)
