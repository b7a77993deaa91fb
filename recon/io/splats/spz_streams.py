"""How SPZ wraps its tables, and the header before them.

The header has 16 bytes, little endian: magic NGSP, version, number of Gaussians, degree, fractional bits, flags, and a
byte. In versions 2 and 3 one gzip stream holds header and tables. In version 4 the header is plain, its last byte
counts the tables that are not empty, and 16 bytes follow it: a position and zeros. At the position stand the compressed
and the real length of each table (64 bits each), then the tables, each a Zstandard stream.
"""

import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import zstandard

from recon.errors import FormatError

MAGIC = b"NGSP"
HEADER = struct.Struct("<4sIIBBBB")
POSITION = struct.Struct("<I12x")
LENGTHS = struct.Struct("<QQ")
HAS_EXTENSIONS = 0x2
MAX_WINDOW_BYTES = 2**27
"""Of memory that a Zstandard stream may ask for to look back."""


@dataclass(frozen=True)
class SpzHeader:
    """What stands at the beginning.

    Attributes:
        version: 2, 3 or 4.
        num_gaussians: As stated, not yet held against anything.
        sh_degree: 0 to 3.
        fractional_bits: Of the fixed-point coordinates.
        flags: Bit 0: trained with antialiasing.
    """

    version: int
    num_gaussians: int
    sh_degree: int
    fractional_bits: int
    flags: int

    @property
    def columns(self) -> dict[str, int]:
        """Bytes a Gaussian has in each table, in the order of the file."""
        higher = 3 * ((self.sh_degree + 1) ** 2 - 1)
        return {"mean": 9, "opacity": 1, "color": 3, "scale": 3, "quat": 3 if self.version == 2 else 4, "sh": higher}


@runtime_checkable
class SpzStream(Protocol):
    """Tables in the order of the file."""

    def take(self, num: int) -> bytes:
        """The next `num` bytes; FormatError where there are fewer."""
        ...

    def end(self) -> None:
        """Raise FormatError unless this was all."""
        ...


def open_spz(path: Path, data: bytes) -> tuple[SpzHeader, SpzStream]:
    """The header of a file, and its tables.

    Raises:
        FormatError: It is not SPZ of version 2 to 4, or holds extensions or harmonics above degree 3.
    """
    if data.startswith(MAGIC):
        if len(data) < HEADER.size + POSITION.size:
            raise FormatError(f"{path}: {len(data)} bytes, too short for SPZ")
        header, num_tables = _parse(path, data[: HEADER.size], (4,))
        return header, _ZstdTables(path, data, num_tables)
    stream = _GzipStream(path, data)
    return _parse(path, stream.take(HEADER.size), (2, 3))[0], stream


def _parse(path: Path, data: bytes, versions: tuple[int, ...]) -> tuple[SpzHeader, int]:
    magic, version, num, degree, bits, flags, last = HEADER.unpack(data)
    if magic != MAGIC or version not in versions:
        raise FormatError(f"{path}: {magic!r} version {version} found, expected {MAGIC!r} version 2, 3 or 4")
    if degree > 3 or bits > 24:
        raise FormatError(f"{path}: harmonics of degree {degree} and {bits} fractional bits, expected at most 3 and 24")
    if flags & HAS_EXTENSIONS:
        raise FormatError(f"{path}: SPZ with extensions is not supported", hint="save it without extensions")
    return SpzHeader(version, num, degree, bits, flags), last


class _GzipStream:
    """What a gzip file unfolds to, never more than asked for."""

    def __init__(self, path: Path, data: bytes):
        self.path, self.rest = path, data
        self.decompressor = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    def take(self, num: int) -> bytes:
        parts, missing = [], num
        while missing and not self.decompressor.eof:
            part = self._unfold(missing)
            parts.append(part)
            missing -= len(part)
            if not part and not self.rest:
                break
        if missing:
            raise FormatError(f"{self.path}: ends {missing:,} bytes too early, or is not SPZ")
        return b"".join(parts)

    def end(self) -> None:
        if self._unfold(1) or not self.decompressor.eof or self.decompressor.unused_data:
            raise FormatError(f"{self.path}: longer than its header promises")

    def _unfold(self, num: int) -> bytes:
        try:
            part = self.decompressor.decompress(self.rest, num)
        except zlib.error as error:
            raise FormatError(f"{self.path}: not SPZ, or damaged ({error})") from error
        self.rest = self.decompressor.unconsumed_tail
        return part


class _ZstdTables:
    """The tables of version 4, each unfolded to no more than asked for."""

    def __init__(self, path: Path, data: bytes, num_tables: int):
        (start,) = POSITION.unpack_from(data, HEADER.size)
        position = start + num_tables * LENGTHS.size
        if start < HEADER.size + POSITION.size or position > len(data):
            raise FormatError(f"{path}: {num_tables} tables at {start:,}, beyond the {len(data):,} bytes of the file")
        lengths = list(LENGTHS.iter_unpack(data[start:position]))
        if position + sum(compressed for compressed, _ in lengths) != len(data):
            raise FormatError(f"{path}: {len(data):,} bytes, its tables promise another length")
        self.path, self.data, self.position, self.lengths = path, data, position, lengths

    def take(self, num: int) -> bytes:
        if not num:
            return b""
        compressed, length = self.lengths.pop(0) if self.lengths else (0, 0)
        if length != num:
            raise FormatError(f"{self.path}: a table of {length:,} bytes, expected {num:,}")
        source = io.BytesIO(self.data[self.position : self.position + compressed])
        self.position += compressed
        try:
            with zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).stream_reader(source) as reader:
                table = reader.read(num + 1)
        except zstandard.ZstdError as error:
            raise FormatError(f"{self.path}: damaged ({error})") from error
        if len(table) != num:
            raise FormatError(f"{self.path}: a table unfolds to {len(table):,} bytes or more, expected {num:,}")
        return table

    def end(self) -> None:
        if self.lengths:
            raise FormatError(f"{self.path}: {len(self.lengths)} tables more than its header promises")
