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
    """HTML: name and purpose, and what is read aloud when something happens."""
    said = tag("div", id="said", class_="unseen", role="status", aria_live="polite")
    return tag("h1", tag("a", text(texts.TITLE), href="./")) + tag("p", text(texts.TAGLINE)) + said


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


def notes_about(engine: Engine, draft: Sequence[str]) -> str:
    """HTML: what files are, what looks wrong with them before they are sent off, and which of them are not taken.

    Args:
        engine: Looks at them.
        draft: Their paths.
    """
    if not draft:
        return ""
    try:
        found = engine.check([Path(path) for path in draft])
    except ReconError as error:
        return warning_box([f"{error.message}. {error.hint}".strip()])
    refused = [f"{texts.NOT_TAKEN}: {name}: {reason}" for name, reason in found.refused.items()]
    said = [warning.words for warning in found.warnings if warning.kind == "contents"]
    warnings = [warning.words for warning in found.warnings if warning.kind != "contents"]
    return warning_box([*refused, *warnings], said)


def warning_box(warnings: Sequence[str], said: Sequence[str] = ()) -> str:
    """HTML: what is said, then warnings in a box, one a line; nothing where there are none."""
    lines = "".join(tag("p", text(words), class_="soft small") for words in said)
    if not warnings:
        return lines
    items = "".join(tag("li", text(words)) for words in warnings)
    return lines + tag("div", tag("ul", items), class_="notes", data_say=" ".join(warnings))
