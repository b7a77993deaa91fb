"""Pieces of HTML; every word that comes from outside goes through `text`."""

from collections.abc import Sequence
from html import escape


def text(words: object) -> str:
    """Words as text, whatever they hold: names of files are anything that a person, or an attacker, typed."""
    return escape(str(words), quote=True)


def tag(name: str, content: str = "", **attributes: object) -> str:
    """An element around `content`, which is HTML; values of attributes are taken as words.

    `data_view=3` becomes `data-view="3"`, `class_="x"` becomes `class="x"`, True an attribute without a value; None and
    False leave it out.
    """
    words = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        key = key.rstrip("_").replace("_", "-")
        words.append(f" {key}" if value is True else f' {key}="{text(value)}"')
    closing = "" if name in ("img", "input", "br") else f"{content}</{name}>"
    return f"<{name}{''.join(words)}>{closing}"


def table(
    columns: Sequence[str], rows: Sequence[str], *, wide: Sequence[int] = (), num: Sequence[int] = (), class_: str = ""
) -> str:
    """A table whose every column has its head.

    Args:
        columns: Words of the heads.
        rows: Elements `tr`, with as many cells.
        wide: Columns that are left out where there is little room.
        num: Columns of numbers, set flush right.
        class_: Further classes.
    """
    kinds = [
        " ".join(kind for kind, which in (("wide", wide), ("num", num)) if i in which) for i in range(len(columns))
    ]
    heads = (tag("th", text(w), scope="col", class_=kind or None) for w, kind in zip(columns, kinds, strict=True))
    content = tag("thead", tag("tr", "".join(heads))) + tag("tbody", "".join(rows))
    return tag("table", content, class_=f"plain {class_}".strip())


def size(num_bytes: int) -> str:
    """Bytes for people: "47.0 MB"."""
    value, unit = float(num_bytes), "bytes"
    for larger in ("kB", "MB", "GB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "bytes" or value >= 100 else f"{value:.1f} {unit}"


def duration(seconds: float) -> str:
    """Seconds for people: "48 s", "3 min 5 s", "1 h 30 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    values, units = (divmod(whole, 60), ("min", "s")) if whole < 3600 else (divmod(whole // 60, 60), ("h", "min"))
    return " ".join(f"{value} {unit}" for value, unit in zip(values, units, strict=True) if value)
