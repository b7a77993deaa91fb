"""File names: natural order, uniqueness, safety."""

import re
import unicodedata
from collections.abc import Iterable

RESERVED_ON_WINDOWS = frozenset(
    ("con", "prn", "aux", "nul", *(f"com{i}" for i in range(1, 10)), *(f"lpt{i}" for i in range(1, 10)))
)
MAX_NAME_BYTES, MAX_PATH_BYTES = 255, 1024


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


def path_parts(name: str) -> list[str]:
    """The parts of a relative path that a foreign file names, whichever slash it uses; `.` and empty parts go.

    Raises:
        ValueError: The path is absolute, leads upwards, or is not a plain name on every system; the text says why.
    """
    for spelling in (name, unicodedata.normalize("NFKC", name)):
        if spelling.startswith(("/", "\\")):
            raise ValueError("it is absolute")
        if any(unicodedata.category(c) in ("Cc", "Cs") for c in spelling):
            raise ValueError("it holds control characters")
        if ":" in spelling:
            raise ValueError("it holds a colon, as drives do")
        for part in _split(spelling):
            _require_plain(part)
    parts = _split(name)
    if not parts or len(name.encode()) > MAX_PATH_BYTES:
        raise ValueError("it is too long" if parts else "it is empty")
    return parts


def _split(name: str) -> list[str]:
    return [part for part in re.split(r"[/\\]", name) if part not in ("", ".")]


def _require_plain(part: str) -> None:
    """Raise ValueError for a part that means a folder above, a device, or nothing on some system."""
    if not part.rstrip(". "):
        raise ValueError("it leads out of its folder")
    if part.split(".")[0].rstrip(" ").casefold() in RESERVED_ON_WINDOWS:
        raise ValueError("it is the name of a device on Windows")
    if len(part.encode()) > MAX_NAME_BYTES:
        raise ValueError("it is too long")
