"""Zip archives unpacked into a private folder; every bound is checked before and while bytes are written."""

import errno
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from recon.errors import FormatError, InputError, LimitError, ResourceError
from recon.io.archive_members import Member, check_members
from recon.io.limits import DEFAULT_LIMITS, Limits

CHUNK_BYTES = 1024 * 1024
# A member's entry in the directory: 46 bytes, its name, and room for time stamps and comments.
DIRECTORY_BYTES_PER_MEMBER = 1024
# zipfile raises all of these on damaged archives.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    IndexError,
)


def is_zip(path: Path) -> bool:
    """Whether a file begins as a zip archive does."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


@contextmanager
def unpacked(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Iterator[Path]:
    """Give a temporary folder with the files of a zip archive that a reconstruction can use; removed at the end.

    Images, videos, JSON, and the files of COLMAP models are unpacked, the rest stays packed. An archive that breaks
    any rule is refused as a whole, in nearly all cases before the first byte is written.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is damaged, encrypted, or holds links, archives, or names that leave their folder.
        LimitError: It holds, or unpacks to, more than `limits` allow.
        ResourceError: The disk is full.
    """
    with tempfile.TemporaryDirectory(prefix="recon-zip-") as folder:
        root = Path(folder)
        with _typed_errors(path), path.open("rb") as file, _opened(file, path, limits) as (archive, members):
            for member in members:
                _write(archive, member, path, root)
        yield root


def check_archive(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> None:
    """Raise what `unpacked` would raise on account of the directory of an archive; nothing is unpacked."""
    with opened_archive(path, limits):
        pass


@contextmanager
def opened_archive(path: Path, limits: Limits) -> Iterator[tuple[zipfile.ZipFile, list[Member]]]:
    """An archive whose directory was checked, and those of its members that are wanted.

    Raises:
        InputError, FormatError, LimitError: As `unpacked`, of the directory and of what is read in the block.
    """
    with _typed_errors(path), path.open("rb") as file, _opened(file, path, limits) as opened:
        yield opened


@contextmanager
def _typed_errors(path: Path) -> Iterator[None]:
    """Turn what `zipfile` and the disk raise into errors that name the file."""
    try:
        yield
    except DAMAGE as error:
        raise FormatError(
            f"{path}: not a zip archive that can be read ({error})", hint="make the archive again"
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ResourceError(f"{path}: no room to unpack it in {tempfile.gettempdir()}") from error
        raise InputError(f"{path}: cannot be unpacked ({error.strerror or error})") from error


@contextmanager
def _opened(file: BinaryIO, path: Path, limits: Limits) -> Iterator[tuple[zipfile.ZipFile, list[Member]]]:
    """The archive, and those members of its checked directory that are wanted."""
    _require_small_directory(file, path, limits)
    with zipfile.ZipFile(file) as archive:
        members = check_members(str(path), archive.infolist(), path.stat().st_size, limits)
        if not members:
            raise FormatError(f"{path}: no image, video or model among {len(archive.infolist())} members")
        yield archive, members


def _write(archive: zipfile.ZipFile, member: Member, path: Path, root: Path) -> None:
    """Unpack one member; more bytes than it declares are not written."""
    target = root.joinpath(*member.parts)
    if not target.resolve().is_relative_to(root.resolve()):
        raise FormatError(f"{path}: the member {member.info.filename[:80]!r} leaves the archive")
    target.parent.mkdir(parents=True, exist_ok=True)
    num_bytes = 0
    with archive.open(member.info) as packed, target.open("xb") as out:
        while chunk := packed.read(CHUNK_BYTES):
            num_bytes += len(chunk)
            if num_bytes > member.info.file_size:
                break
            out.write(chunk)
    if num_bytes != member.info.file_size:
        raise FormatError(f"{path}: {member.info.filename[:80]!r} is not of the size that the archive states")


def _require_small_directory(file: BinaryIO, path: Path, limits: Limits) -> None:
    """Raise LimitError before `zipfile` reads a directory of millions of entries into memory.

    The end of an archive states the size of its directory (APPNOTE.TXT 4.3.16), once more in 64 bits where the
    archive has that record (4.3.14).
    """
    num_bytes = file.seek(0, 2)
    file.seek(max(0, num_bytes - 22 - 65535 - 76))
    tail = file.read()
    sizes = []
    end = tail.rfind(b"PK\x05\x06")
    if end >= 0 and len(tail) >= end + 22:
        sizes.append(struct.unpack_from("<I", tail, end + 12)[0] % 0xFFFFFFFF)
    wide = tail.rfind(b"PK\x06\x06", 0, max(0, end))
    if wide >= 0 and len(tail) >= wide + 56:
        sizes.append(struct.unpack_from("<Q", tail, wide + 40)[0])
    allowed = DIRECTORY_BYTES_PER_MEMBER * limits.max_archive_members
    if any(size > allowed for size in sizes):
        raise LimitError(f"{path}: a directory of {max(sizes):,} bytes, at most {allowed:,} are allowed")
    file.seek(0)
