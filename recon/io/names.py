"""File names: natural order, uniqueness, safety."""

import re
from collections.abc import Iterable

RESERVED_ON_WINDOWS = frozenset(
    ("con", "prn", "aux", "nul", *(f"com{i}" for i in range(1, 10)), *(f"lpt{i}" for i in range(1, 10)))
)


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key under which `img2` comes before `img10`; ties of case and leading zeros are broken by the name."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    key = tuple((0, int(part), "") if part.isascii() and part.isdigit() else (1, 0, part.casefold()) for part in parts)
    return (*key, (2, 0, name))


def unique_names(names: Iterable[str]) -> list[str]:
    """The names in order, where a repeated one gets `-2`, `-3`, ... before its suffix.

    Names that differ only in case count as repeated: many file systems would let one overwrite the other.
    """
    wanted = list(names)
    reserved = {name.casefold() for name in wanted}
    taken: set[str] = set()
    result = []
    for name in wanted:
        candidate, number = name, 1
        while candidate.casefold() in taken or (number > 1 and candidate.casefold() in reserved):
            number += 1
            stem, dot, suffix = name.rpartition(".")
            candidate = f"{stem}-{number}.{suffix}" if dot and stem else f"{name}-{number}"
        taken.add(candidate.casefold())
        result.append(candidate)
    return result


def safe_stem(name: str) -> str:
    """A file name without suffix that is harmless on every system, made from the last part of `name`.

    Letters and digits of all scripts, `-`, `_` and inner dots stay; everything else becomes `_`.
    """
    last = re.split(r"[/\\]", name)[-1]
    stem = last.rpartition(".")[0] or last
    clean = re.sub(r"[^\w.-]", "_", stem).strip("._-")[:80] or "view"
    return f"{clean}_" if clean.split(".")[0].casefold() in RESERVED_ON_WINDOWS else clean
