"""Checkpoints that torch saved elsewhere, read without running anything that they hold.

Beside tensors and plain containers such files often hold objects of the program that wrote them: settings, paths,
states of callbacks. torch's restricted unpickler refuses the names of their classes. Here each such name gets an inert
stand-in instead: nothing is looked up, imported or called, and what the objects held is dropped.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

import torch

from recon.errors import CheckpointError, FormatError
from recon.io.limits import GIBIBYTE
from recon.io.torch_file import is_zip, require_no_more_than_on_disk

MAX_CHECKPOINT_BYTES = 8 * GIBIBYTE
"""Tensors are mapped, not read, so that only those that are used take memory."""
MAX_FOREIGN_NAMES = 64
_NAME = re.compile(r"[A-Za-z_][\w.]{0,199}", re.ASCII)
_HINT = "save the tensors alone, in a file of their own, where the checkpoint was made: torch.save(model.state_dict())"


class TorchCheckpoint(NamedTuple):
    """What a checkpoint holds.

    Attributes:
        content: As it was saved, tensors on the CPU and mapped from the file; stand-ins for foreign objects.
        foreign: Full names of the classes and functions that stand-ins took the place of, ascending.
    """

    content: Any
    foreign: tuple[str, ...]


class StandIn:
    """Takes the place of an object of a class that is not known here: keeps nothing, does nothing."""

    def __new__(cls, *_: Any) -> "StandIn":
        """An empty object, whatever it is made from."""
        return super().__new__(cls)

    def __init__(self, *_: Any):
        pass

    def __setstate__(self, state: Any) -> None:
        """Drop what the object held."""


def read_torch_checkpoint(path: Path, *, max_bytes: int = MAX_CHECKPOINT_BYTES) -> TorchCheckpoint:
    """Read a file of `torch.save` whatever program wrote it; not safe to call from several threads at once.

    Args:
        path: In the zip form, which torch writes since version 1.6.
        max_bytes: Size of the file.

    Raises:
        CheckpointError: There is no such file, it is too large or packed, names too many classes, or names one that
            no stand-in can take the place of; the message tells which.
    """
    _require_plain_zip(path, max_bytes)
    foreign: list[str] = []
    try:
        foreign = sorted(torch.serialization.get_unsafe_globals_in_checkpoint(path))
        _require_few(path, foreign)
        stand_ins: list[Any] = [(_new_dict if name == "collections.defaultdict" else StandIn, name) for name in foreign]
        with torch.serialization.safe_globals(stand_ins):
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except CheckpointError:
        raise
    except Exception as error:  # damaged files raise whatever the unpickler stumbles over
        named = f"; it names {', '.join(foreign[:5])}" if foreign else ""
        raise CheckpointError(
            f"{path}: cannot be read without running code of it ({type(error).__name__}: {_reason(error)}){named}",
            hint=_HINT,
        ) from error
    return TorchCheckpoint(content, tuple(foreign))


def _new_dict(*_: Any) -> dict[Any, Any]:
    """Stands in for a defaultdict, which torch's unpickler can fill only as a plain dict."""
    return {}


def _require_plain_zip(path: Path, max_bytes: int) -> None:
    """Nothing may take more memory than the file takes on disk."""
    try:
        size = path.stat().st_size if path.is_file() else None
        if size is None:
            raise CheckpointError(f"{path}: no such file", hint="say where your copy of the checkpoint is")
        if size > max_bytes:
            raise CheckpointError(f"{path}: {size:,} bytes, expected at most {max_bytes:,}")
        if not is_zip(path):
            raise CheckpointError(
                f"{path}: not a file that torch.save wrote in its present form",
                hint="files of torch before 1.6 must be saved anew; give the file as it was published",
            )
        require_no_more_than_on_disk(path)
    except FormatError as error:
        raise CheckpointError(error.message, hint=error.hint) from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: cannot be read ({error})") from error


def _require_few(path: Path, foreign: list[str]) -> None:
    if len(foreign) > MAX_FOREIGN_NAMES:
        raise CheckpointError(
            f"{path}: names {len(foreign)} classes of other programs, expected at most {MAX_FOREIGN_NAMES}", hint=_HINT
        )
    for name in foreign:
        if not _NAME.fullmatch(name):
            raise CheckpointError(f"{path}: names a class {name[:200]!a}, expected letters, digits, dots", hint=_HINT)


def _reason(error: Exception) -> str:
    """The unpickler's own words, without torch's advice for those who trust the file."""
    text = str(error)
    found = re.search(r"WeightsUnpickler error:\s*(.*)", text)
    words = found[1] if found else (text.splitlines() or [""])[0]
    return ascii(words)[1:-1][:300]
