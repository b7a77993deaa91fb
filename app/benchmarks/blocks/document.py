"""The sections of a document that are written by the program, between marks."""

import re
from pathlib import Path

from recon.errors import InputError
from recon.io.atomic import atomic_write

PAPERS = "<!-- papers -->"
"""Begins a section that people write; new sections go before it."""


def put_section(document: Path, name: str, title: str, content: str) -> None:
    """Replace what stands between `<!-- NAME -->` and `<!-- /NAME -->`; a document without it gets the section.

    Args:
        document: Markdown, made if absent.
        name: Of the section.
        title: Of a new section.
        content: Markdown; how it is made is said by the document.

    Raises:
        InputError: The document has one of the marks only.
    """
    text = document.read_text(encoding="utf-8") if document.exists() else "# Blocks\n"
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if (begin in text) != (end in text):
        raise InputError(f"{document} has only one of {begin} and {end}", hint="write the other one, or remove it")
    section = f"{begin}\n{content.strip()}\n{end}"
    if begin in text:
        text = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: section, text, count=1, flags=re.S)
    else:
        before, mark, after = text.partition(PAPERS)
        text = f"{before.rstrip()}\n\n## {title}\n\n{section}\n" + (f"\n{mark}{after}" if mark else "")
    document.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(document) as part:
        part.write_text(text, encoding="utf-8")
