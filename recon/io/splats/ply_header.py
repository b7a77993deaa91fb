"""Headers of binary PLY files whose elements are tables of numbers."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recon.errors import FormatError, InputError, LimitError
from recon.io.limits import Limits

MAX_HEADER_BYTES = 64 * 1024
MAX_ELEMENTS = 16
END = b"end_header\n"
SCALARS = {
    **{"char": "i1", "uchar": "u1", "short": "<i2", "ushort": "<u2", "int": "<i4", "uint": "<u4"},
    **{"int8": "i1", "uint8": "u1", "int16": "<i2", "uint16": "<u2", "int32": "<i4", "uint32": "<u4"},
    **{"float": "<f4", "double": "<f8", "float32": "<f4", "float64": "<f8"},
}


@dataclass(frozen=True)
class PlyElement:
    """One table.

    Attributes:
        name: As the header has it: vertex, chunk, ...
        num_rows: Its rows.
        dtype: Names and types of its columns, in the order of the file.
        offset: Where it begins in the file, in bytes.
    """

    name: str
    num_rows: int
    dtype: np.dtype
    offset: int

    @property
    def properties(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.dtype.names or ())


@dataclass(frozen=True)
class PlyHeader:
    """What stands before the data: the tables by name, in the order of the file."""

    elements: dict[str, PlyElement]

    def read(self, path: Path, name: str) -> np.ndarray:
        """The rows of one table, as a structured array."""
        element = self.elements[name]
        with path.open("rb") as file:
            file.seek(element.offset)
            return np.fromfile(file, element.dtype, element.num_rows)


def read_header(path: Path, *, limits: Limits) -> PlyHeader:
    """The header, proven to fit the length of the file, so that it may be trusted with an allocation.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is not PLY, not binary little endian, or holds lists.
        LimitError: An element states more rows than `limits.max_gaussians`.
    """
    try:
        with path.open("rb") as file:
            start = file.read(MAX_HEADER_BYTES)
        num_file_bytes = path.stat().st_size
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the file cannot be read ({error})") from error
    end = start.find(END)
    if not start.startswith(b"ply\n") or end < 0:
        raise FormatError(f"{path}: not a PLY file with a header of at most {MAX_HEADER_BYTES} bytes")
    elements, expected = _parse(path, start[:end].split(b"\n")[1:-1], end + len(END))
    largest = max((element.num_rows for element in elements.values()), default=0)
    if largest > limits.max_gaussians:
        raise LimitError(f"{path}: {largest:,} Gaussians, at most {limits.max_gaussians:,} are allowed")
    if num_file_bytes != expected:
        raise FormatError(
            f"{path}: {num_file_bytes:,} bytes long, its header promises {expected:,}",
            hint="the file was cut off, or is not finished",
        )
    return PlyHeader(elements)


def _parse(path: Path, lines: list[bytes], offset: int) -> tuple[dict[str, PlyElement], int]:
    """The elements, and the length that the file must have."""
    lines = [line for line in lines if not line.startswith((b"comment ", b"obj_info ")) and line != b"comment"]
    if not lines or lines[0] != b"format binary_little_endian 1.0":
        raise FormatError(f"{path}: {lines[:1]} found, expected format binary_little_endian 1.0")
    elements: dict[str, PlyElement] = {}
    starts = [i for i, line in enumerate(lines) if line.startswith(b"element ")]
    if starts[:1] != [1] or len(starts) > MAX_ELEMENTS:
        raise FormatError(f"{path}: {lines[1:2]} found, expected 1 to {MAX_ELEMENTS} elements")
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        match = re.fullmatch(rb"element ([A-Za-z0-9_]{1,64}) ([0-9]{1,12})", lines[start])
        if match is None or match[1].decode("ascii") in elements:
            raise FormatError(f"{path}: {lines[start][:80]!r} found, expected a new element and its number of rows")
        name, num_rows = match[1].decode("ascii"), int(match[2])
        elements[name] = PlyElement(name, num_rows, _row_type(path, lines[start + 1 : stop]), offset)
        offset += num_rows * elements[name].dtype.itemsize
    return elements, offset


def _row_type(path: Path, lines: list[bytes]) -> np.dtype:
    columns: dict[str, str] = {}
    for line in lines:
        match = re.fullmatch(rb"property ([a-z0-9]{1,8}) ([A-Za-z0-9_]{1,64})", line)
        if match is None or match[1].decode("ascii") not in SCALARS:
            raise FormatError(
                f"{path}: {line[:80]!r} found, expected a property that is one number",
                hint="meshes are another format; save as a 3DGS PLY",
            )
        name = match[2].decode("ascii")
        if name in columns:
            raise FormatError(f"{path}: the property {name} stands there twice")
        columns[name] = SCALARS[match[1].decode("ascii")]
    return np.dtype(list(columns.items()))
