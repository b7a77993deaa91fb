"""The container of binary glTF: a header, one chunk of JSON, one of numbers."""

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recon.errors import ExportError, FormatError, LimitError
from recon.io.atomic import atomic_write
from recon.io.file_bytes import file_size, read_bytes
from recon.io.limits import Limits

HEADER, CHUNK = struct.Struct("<4sII"), struct.Struct("<I4s")
MAGIC, JSON, BINARY = b"glTF", b"JSON", b"BIN\0"
LARGEST_FILE = 2**32 - 1


def write_glb(path: Path, document: dict[str, Any], arrays: Sequence[np.ndarray]) -> None:
    """Write a document whose buffer 0 is made of the arrays, one after the other; each must be a multiple of 4 bytes.

    Raises:
        ExportError: The file would be larger than 4 GiB, which glTF does not allow, or cannot be written.
    """
    text = json.dumps(document, separators=(",", ":"), allow_nan=False).encode("ascii")
    text += b" " * (-len(text) % 4)
    num_bytes = sum(array.nbytes for array in arrays)
    chunks = [CHUNK.size + len(text), CHUNK.size + num_bytes if arrays else 0]
    total = HEADER.size + sum(chunks)
    if total > LARGEST_FILE:
        raise ExportError(f"{path}: would have {total:,} bytes, GLB allows {LARGEST_FILE:,}", hint="write .ply or .spz")
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        file.write(HEADER.pack(MAGIC, 2, total) + CHUNK.pack(len(text), JSON) + text)
        if arrays:
            file.write(CHUNK.pack(num_bytes, BINARY))
        for array in arrays:
            file.write(np.ascontiguousarray(array).data)


def read_glb(path: Path, limits: Limits) -> tuple[dict[str, Any], int, int]:
    """The document, and where its buffer 0 begins in the file and how long it is (0 when there is none).

    Raises:
        InputError: The file cannot be read.
        FormatError: It is not binary glTF 2, or its length does not fit what it states.
        LimitError: Its JSON is larger than `limits.max_json_bytes`.
    """
    size = file_size(path)
    magic, version, total = HEADER.unpack(read_bytes(path, 0, HEADER.size))
    if magic != MAGIC or version != 2 or total != size:
        raise FormatError(f"{path}: {size:,} bytes, not a whole file of binary glTF 2")
    num_json, kind = CHUNK.unpack(read_bytes(path, HEADER.size, CHUNK.size))
    if num_json > limits.max_json_bytes:
        raise LimitError(f"{path}: {num_json:,} bytes of JSON, at most {limits.max_json_bytes:,} are allowed")
    start = HEADER.size + CHUNK.size
    if kind != JSON or start + num_json > size:
        raise FormatError(f"{path}: the first chunk is {kind!r} of {num_json:,} bytes, expected {JSON!r}")
    document = _document(path, read_bytes(path, start, num_json))
    start += num_json
    if start == size:
        return document, start, 0
    num_binary, kind = CHUNK.unpack(read_bytes(path, start, CHUNK.size))
    start += CHUNK.size
    if kind != BINARY or start + num_binary > size:
        raise FormatError(f"{path}: the second chunk is {kind!r} of {num_binary:,} bytes, expected {BINARY!r}")
    return document, start, num_binary


def _document(path: Path, text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: the JSON chunk is not JSON ({error})") from error
    if not isinstance(document, dict):
        raise FormatError(f"{path}: the JSON chunk holds a {type(document).__name__}, expected an object")
    return document
