"""What is there before anything happens: name, hints, the sample, and what looks wrong with what was chosen."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from app.web import texts
from app.web.engine import Engine
from app.web.page.markup import tag, text
from recon.errors import ReconError

FANNED = 3


def head() -> str:
    """HTML: name and purpose."""
    return tag("h1", tag("a", text(texts.TITLE), href="./")) + tag("p", text(texts.TAGLINE))


def welcome() -> str:
    """HTML: what will happen, and what makes good photographs."""
    tips = "".join(tag("li", tag("b", text(short)) + text(rest)) for short, rest in texts.TIPS)
    parts = [
        tag("div", tag("h2", text(texts.WELCOME_TITLE)) + tag("p", text(texts.WELCOME), class_="lead")),
        tag("div", tag("h3", text(texts.TIPS_TITLE))),
        tag("ul", tips, class_="tips"),
    ]
    return tag("section", "".join(parts), class_="card welcome")


def example_button(examples: Sequence[Path]) -> str:
    """HTML: the sample as a button with some of its photographs."""
    step = max(len(examples) // FANNED, 1)
    fan = "".join(tag("img", src=f"examples/{quote(p.name)}", alt="") for p in examples[::step][:FANNED])
    words = tag("span", tag("b", text(texts.EXAMPLE_TITLE)) + tag("span", text(texts.EXAMPLE), class_="soft small"))
    return tag("button", tag("span", fan, class_="fan") + words, type="button", class_="example")


def warnings_of(engine: Engine, draft: Sequence[str]) -> list[str]:
    """What looks wrong with files before they are sent off, and which of them are not taken."""
    if not draft:
        return []
    try:
        found = engine.check([Path(path) for path in draft])
    except ReconError as error:
        return [f"{error.message}. {error.hint}".strip()]
    refused = [f"{texts.NOT_TAKEN}: {name}: {reason}" for name, reason in found.refused.items()]
    return [*refused, *(warning.words for warning in found.warnings)]


def warning_box(warnings: Sequence[str]) -> str:
    """HTML: warnings, one a line; nothing where there are none."""
    if not warnings:
        return ""
    return tag("div", tag("ul", "".join(tag("li", text(words)) for words in warnings)), class_="notes", role="status")
