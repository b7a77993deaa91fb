"""Files that another file names, looked for below one folder only."""

from collections.abc import Sequence
from pathlib import Path

from recon.errors import InputError


def find_inside(where: str, folder: Path, name: str, suffixes: Sequence[str] = ("",)) -> Path | None:
    """The file `name`, with the first suffix that there is a file for; None if there is none.

    Args:
        where: Beginning of every error message, e.g. the file that names it.
        folder: Nothing outside it is touched; links are followed before that is decided.
        name: A path relative to `folder`.
        suffixes: Tried in this order.

    Raises:
        InputError: The path leads out of the folder, or no system could open it.
    """
    folder = folder.resolve()
    for suffix in suffixes:
        try:
            candidate = (folder / f"{name}{suffix}").resolve()
            inside = candidate.is_relative_to(folder)
            is_file = inside and candidate.is_file()
        except (OSError, ValueError, RuntimeError) as error:  # a name too long, a NUL in it, a loop of links
            raise InputError(f"{where}: the photograph {name[:80]!r} cannot be opened ({error})") from error
        if not inside:
            raise InputError(
                f"{where}: the photograph {name[:80]!r} lies outside the folder of the file",
                hint="put the photographs beside or below the file",
            )
        if is_file:
            return candidate
    return None


def find_all(where: str, names: Sequence[str], found: Sequence[Path | None]) -> list[Path]:
    """The files that were found for `names`.

    Raises:
        InputError: Some were not; the message counts and names them.
    """
    missing = [name for name, path in zip(names, found, strict=True) if path is None]
    if missing:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise InputError(
            f"{where}: {len(missing)} of {len(names)} photographs are missing: {shown}",
            hint="paths are taken relative to the folder of the file",
        )
    return [path for path in found if path is not None]
