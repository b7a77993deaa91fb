"""What became of each photograph, and how near the scene comes to it."""

import gradio as gr
from gradio.components import Component

from app.web import texts
from app.web.page.context import TabContext
from app.web.page.finished import Finished
from app.web.page.markup import table, tag, text

TITLE = texts.PHOTOGRAPHS_TAB


def build(context: TabContext) -> list[Component]:
    """Comparison and table."""
    return [gr.HTML(elem_id="photographs")]


def fill(done: Finished) -> list:
    """The comparison of the first view, a strip to choose another, and the report."""
    return [(_comparison(done) if done.views else "") + _table(done)]


def is_shown(done: Finished) -> bool:
    """Always."""
    return True


def _comparison(done: Finished) -> str:
    first = done.views[0]
    photograph, rendering = (done.address(f"preview/{first[kind]}") for kind in ("photograph", "rendering"))
    pair = [
        tag("img", src=rendering, alt=texts.RENDERED, class_="under-image"),
        tag("img", src=photograph, alt=texts.PHOTOGRAPH, class_="over"),
        tag("i", class_="edge"),
        tag("input", type="range", min=0, max=100, value=50, aria_label=texts.COMPARE),
    ]
    chooser = "".join(_choice(done, view, i) for i, view in enumerate(done.views))
    parts = [
        tag("p", text(texts.COMPARE), class_="soft small"),
        tag("div", "".join(pair), class_="compare", id="compare"),
        tag("div", chooser, class_="chooser", role="group", aria_label=texts.PHOTOGRAPHS_TAB),
    ]
    return "".join(parts)


def _choice(done: Finished, view: dict, index: int) -> str:
    photograph, rendering = (done.address(f"preview/{view[kind]}") for kind in ("photograph", "rendering"))
    return tag(
        "button", tag("img", src=photograph, alt=view["name"], loading="lazy"), type="button", title=view["name"],
        data_compare=photograph, data_rendered=rendering, aria_pressed="true" if index == 0 else "false",
    )  # fmt: skip


def _table(done: Finished) -> str:
    placed = {view["name"]: (i, view) for i, view in enumerate(done.views)}
    failed = done.report["poses"].get("failed") or {}
    uses = done.report.get("views") or {}
    names = [*placed, *(name for name in failed if name not in placed)]
    rows = [_row(done, name, placed.get(name), failed.get(name), uses.get(name, "")) for name in names]
    rows += [_row_without(name, f"{texts.NOT_TAKEN}: {reason}") for name, reason in done.refused.items()]
    return table(texts.COLUMNS, rows, wide=(2,), num=(3,))


def _row(done: Finished, name: str, placed: tuple[int, dict] | None, reason: str | None, use: str) -> str:
    if placed is None:
        return _row_without(name, f"{texts.NOT_PLACED}: {reason}")
    index, view = placed
    thumb = tag("img", src=done.address(f"preview/{view['photograph']}"), alt="", class_="thumb", loading="lazy")
    look = tag("button", text(texts.LOOK_FROM), type="button", class_="link", data_look=index)
    cells = [
        tag("td", thumb + text(name)),
        tag("td", text(texts.PLACED)),
        tag("td", text(use_in_words(use)), class_="wide"),
        tag("td", text("-" if view["psnr_db"] is None else f"{view['psnr_db']:.1f} dB"), class_="num"),
        tag("td", look),
    ]
    return tag("tr", "".join(cells))


def use_in_words(use: str) -> str:
    """What a photograph was used for, as `recon.pipeline.report.view_uses` tells it, for people."""
    was_seen, was_held_back = use.startswith("network"), "held back" in use
    if was_seen:
        return texts.USED_THEN_MEASURED if was_held_back else texts.USED
    return texts.MEASURED if was_held_back else texts.REFINED if use.startswith("refinement") else texts.UNUSED


def _row_without(name: str, words: str) -> str:
    """Of a photograph that is not in the scene, with the reason."""
    cells = [tag("td", text(name)), tag("td", text(words), class_="not", colspan=len(texts.COLUMNS) - 1)]
    return tag("tr", "".join(cells))
