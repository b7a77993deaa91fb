"""Downloads with their sizes, the same job as a command, and the files without what the scene is not sure of."""

from collections.abc import Sequence
from pathlib import PurePosixPath

import gradio as gr
from gradio.components import Component

from app.web import texts
from app.web.engine import FILTERED
from app.web.page.context import TabContext
from app.web.page.finished import Finished, address
from app.web.page.markup import size, table, tag, text
from app.web.results.downloads import Download, list_downloads
from app.web.results.filtered import FROM_GAUSSIANS
from recon.errors import ReconError

TITLE = texts.FILES


def build(context: TabContext) -> list[Component]:
    """The table of files, the command, and the filter below them."""
    files = gr.HTML(elem_id="files")
    with gr.Accordion(texts.REFILTER, open=False, elem_id="refilter"):
        least = gr.Slider(
            0, 0.95, value=0.3, step=0.05, label=texts.REFILTER_LABEL, info=texts.REFILTER_HELP,
        )  # fmt: skip
        names = gr.CheckboxGroup(
            [(words, name) for words, name in texts.EXPORT_NAMES if name in FROM_GAUSSIANS],
            label=texts.REFILTER_FILES, info=texts.REFILTER_FILES_HELP,
        )  # fmt: skip
        again = gr.Button(texts.REFILTER_RUN)
        filtered = gr.HTML(elem_id="filtered")

    def write_again(job: str | None, least: float, names: list[str] | None) -> str:
        if not job:
            return ""
        try:
            made = context.engine.refilter(job, float(least), tuple(names or ()))
        except ReconError as error:
            return tag("p", text(f"{error.message}. {error.hint}"), role="alert")
        words = tag("p", text(texts.REFILTERED.format(kept=f"{made.kept:,}", total=f"{made.total:,}")))
        look = tag("a", text(texts.LOOK_OPEN), href=f"jobs/{job}/view/{FILTERED}/", target="_blank", rel="noopener")
        return words + look + _table(job, FILTERED, list_downloads(made.folder))

    again.click(write_again, [context.job, least, names], [filtered], api_visibility="private")
    return [files, filtered]


def fill(done: Finished) -> list:
    """Every file with its size, a zip of all, and the command."""
    total = size(sum(download.num_bytes for download in done.downloads))
    zipped = tag(
        "a", text(f"{texts.FILES_ALL} ({total})"), href=f"jobs/{done.id}/all.zip", download=True, class_="button"
    )
    command = [
        tag("h3", text(texts.COMMAND)),
        tag("div", tag("code", text(done.command), id="command") + _copy_button(), class_="command"),
    ]
    return [_table(done.id, "result", done.downloads) + tag("p", zipped) + "".join(command), ""]


def is_shown(done: Finished) -> bool:
    """Always."""
    return True


def _copy_button() -> str:
    return tag("button", text(texts.COPY), type="button", class_="button", data_copy="command", data_done=texts.COPIED)


def _table(job: str, folder: str, downloads: Sequence[Download]) -> str:
    """Single files as links; folders as what they are in all."""
    rows = []
    folders: dict[str, list[int]] = {}
    for download in downloads:
        path = PurePosixPath(download.name)
        if len(path.parts) > 1:
            folders.setdefault(path.parts[0], []).append(download.num_bytes)
            continue
        link = tag("a", text(download.name), href=address(job, f"{folder}/{download.name}"), download=download.name)
        rows.append(_row(link, texts.FILES_HELP.get(download.name, ""), download.num_bytes))
    for name, nums in folders.items():
        rows.append(_row(text(f"{name}/"), texts.IN_ZIP.format(num=len(nums)), sum(nums)))
    return table(texts.FILE_COLUMNS, rows, wide=(1,), num=(2,), class_="downloads")


def _row(name: str, words: str, num_bytes: int) -> str:
    cells = [
        tag("td", name),
        tag("td", text(words), class_="wide soft"),
        tag("td", text(size(num_bytes)), class_="num"),
    ]
    return tag("tr", "".join(cells))
