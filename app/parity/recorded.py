"""Reading recorded tensors, and the measure in which they are compared."""

from collections.abc import Iterable
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from app.parity.report import TensorError
from recon.errors import FormatError, InputError


def read_tensors(path: Path, required: Iterable[str] = ()) -> dict[str, Tensor]:
    """All tensors of a safetensors file.

    Args:
        path: The file.
        required: Names that it must hold.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is damaged, or a required tensor is missing.
    """
    if not path.is_file():
        raise InputError(f"there is no {path}", hint="name folders of recorded tensors")
    try:
        tensors = load_file(path)
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read ({error})") from error
    except SafetensorError as error:
        raise FormatError(f"{path} is not a safetensors file: {error}", hint="fetch the fixture again") from error
    missing = sorted(set(required) - tensors.keys())
    if missing:
        raise FormatError(f"{path} lacks {', '.join(missing)}; it holds {', '.join(sorted(tensors)) or 'nothing'}")
    return tensors


def compare(
    name: str,
    found: Tensor,
    recorded: Tensor,
    tolerance: float,
    *,
    where: Tensor | None = None,
    absolute: bool = False,
) -> TensorError:
    """Largest difference, relative to the largest recorded value, or as it is where that is zero.

    Args:
        name: As in the fixture.
        found: What our code computes.
        recorded: What the reference computed.
        tolerance: Largest error that is allowed.
        where: Leading positions that count; all by default.
        absolute: Not relative to the largest value.

    Raises:
        FormatError: The shapes differ, or nothing is left to compare.
    """
    if found.shape != recorded.shape:
        raise FormatError(f"{name} is recorded with shape {list(recorded.shape)}, ours is {list(found.shape)}")
    difference = (found.double() - recorded.double()).abs()
    difference = difference if where is None else difference[where]
    if not difference.numel():
        raise FormatError(f"{name} has no recorded number that can be compared")
    largest = float(recorded.abs().max())
    scale = 1.0 if absolute or largest == 0 else largest
    return TensorError(name, float(difference.max()) / scale, tolerance)
