"""Headers of PLY files whose only element is a table of floats."""

import re
from dataclasses import dataclass
from pathlib import Path

from recon.errors import FormatError, InputError, LimitError
from recon.io.limits import Limits

MAX_HEADER_BYTES = 64 * 1024
END = b"end_header\n"


@dataclass(frozen=True)
class PlyHeader:
    """What stands before the data.

    Attributes:
        num_bytes: Length of the header itself.
        num_vertices: Rows of the table.
        properties: Names of its float32 columns, in order, all different.
    """

    num_bytes: int
    num_vertices: int
    properties: tuple[str, ...]


def read_header(path: Path, *, limits: Limits) -> PlyHeader:
    """The header, proven to fit the length of the file, so that it may be trusted with an allocation.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is not PLY, not binary little endian, or holds other things than one table of floats.
        LimitError: It states more rows than `limits.max_gaussians`.
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
    num_vertices, properties = _parse(path, start[:end].split(b"\n")[1:-1])
    if num_vertices > limits.max_gaussians:
        raise LimitError(f"{path}: {num_vertices:,} Gaussians, at most {limits.max_gaussians:,} are allowed")
    header = PlyHeader(end + len(END), num_vertices, properties)
    expected = header.num_bytes + 4 * num_vertices * len(properties)
    if num_file_bytes != expected:
        raise FormatError(
            f"{path}: {num_file_bytes:,} bytes long, its header promises {expected:,}",
            hint="the file was cut off, or is not finished",
        )
    return header


def _parse(path: Path, lines: list[bytes]) -> tuple[int, tuple[str, ...]]:
    lines = [line for line in lines if not line.startswith((b"comment ", b"obj_info "))]
    if not lines or lines[0] != b"format binary_little_endian 1.0":
        raise FormatError(f"{path}: {lines[:1]} found, expected format binary_little_endian 1.0")
    element = re.fullmatch(rb"element vertex ([0-9]{1,12})", lines[1]) if len(lines) > 1 else None
    if element is None:
        raise FormatError(f"{path}: {lines[1:2]} found, expected element vertex")
    properties = []
    for line in lines[2:]:
        match = re.fullmatch(rb"property float(?:32)? ([A-Za-z0-9_]{1,64})", line)
        if match is None:
            raise FormatError(
                f"{path}: {line[:80]!r} found, expected one element of float properties",
                hint="compressed PLY, point clouds and meshes are other formats; save as an uncompressed 3DGS PLY",
            )
        properties.append(match[1].decode("ascii"))
    if not properties or len(set(properties)) != len(properties):
        raise FormatError(f"{path}: the properties are not distinct")
    return int(element[1]), tuple(properties)
