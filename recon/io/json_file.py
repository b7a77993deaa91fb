"""JSON files of bounded size, written whole."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recon.errors import ExportError, FormatError, InputError, LimitError
from recon.io.atomic import atomic_write
from recon.io.limits import DEFAULT_LIMITS, Limits


def read_json(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises:
        InputError: The file cannot be read.
        LimitError: It is larger than `limits.max_json_bytes`.
        FormatError: It is not JSON, or not an object.
    """
    content = read_json_value(path, limits=limits)
    if not isinstance(content, dict):
        raise FormatError(f"{path}: holds a {type(content).__name__}, expected an object")
    return content


def read_json_value(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Any:
    """What a JSON file holds, be it an object, a list or something else.

    Raises:
        InputError: The file cannot be read.
        LimitError: It is larger than `limits.max_json_bytes`.
        FormatError: It is not JSON.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limits.max_json_bytes + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the file cannot be read ({error})") from error
    if len(data) > limits.max_json_bytes:
        raise LimitError(f"{path}: more than {limits.max_json_bytes:,} bytes of JSON")
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not JSON ({error})") from error


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON in which NaN and infinity stand as null, since JSON has no word for them.

    Raises:
        ExportError: A value has no JSON form, or the file cannot be written.
    """
    text = json.dumps(plain(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def plain(value: Any) -> Any:
    """The value made of dict, list, str, int, float, bool and None only; non-finite numbers become None.

    Raises:
        ExportError: It holds something else than these, tensors, arrays and paths.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if callable(getattr(value, "tolist", None)):  # arrays and tensors, without importing what they are of
        return plain(value.tolist())
    if isinstance(value, Path):
        return str(value)
    raise ExportError(f"a value of type {type(value).__name__} has no form in JSON")
