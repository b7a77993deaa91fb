"""Which members of a zip archive are unpacked, and what makes the whole archive unacceptable."""

import itertools
import stat
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from recon.errors import FormatError, LimitError
from recon.io.frames.sniff import VIDEO_SUFFIXES
from recon.io.limits import MEBIBYTE, Limits
from recon.io.names import path_parts
from recon.io.photographs.image_folder import IMAGE_SUFFIXES

WANTED_SUFFIXES = (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES, ".json", ".bin", ".txt")
ARCHIVE_SUFFIXES = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".jar", ".cbz")
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
ENCRYPTED = 0x1
LOCAL_HEADER_BYTES = 30
# Below this a high ratio is no bomb: an empty text file of the same line over and over.
HARMLESS_BYTES = MEBIBYTE


@dataclass(frozen=True)
class Member:
    """One file to unpack.

    Attributes:
        info: Its entry in the directory of the archive.
        parts: Its path, free of anything that leads elsewhere.
    """

    info: zipfile.ZipInfo
    parts: tuple[str, ...]


def check_members(where: str, infos: Sequence[zipfile.ZipInfo], archive_bytes: int, limits: Limits) -> list[Member]:
    """The files to unpack; hidden ones, folders and files of no use are left out, but all are checked.

    Args:
        where: Beginning of every error message.
        infos: The directory of the archive.
        archive_bytes: Size of the archive file.
        limits: Bounds on number and size.

    Raises:
        FormatError: A member is a link, an archive, encrypted, packed by a rare method, overlaps another, repeats a
            name, or has a name that leaves its folder.
        LimitError: There are too many members, or they unpack to too much.
    """
    if len(infos) > limits.max_archive_members:
        raise LimitError(f"{where}: {len(infos):,} members, at most {limits.max_archive_members:,} are allowed")
    _require_small(where, infos, archive_bytes, limits)
    _require_apart(where, infos)
    members = [Member(info, _checked_parts(where, info)) for info in infos]
    files = [member for member in members if not member.info.is_dir()]
    if len({member.parts for member in files}) != len(files):
        raise FormatError(f"{where}: holds two members of the same name", hint="make the archive again")
    return [member for member in files if _is_wanted(member.parts)]


def _require_small(where: str, infos: Sequence[zipfile.ZipInfo], archive_bytes: int, limits: Limits) -> None:
    total = sum(info.file_size for info in infos)
    if total > limits.max_archive_bytes:
        raise LimitError(f"{where}: unpacks to {total:,} bytes, at most {limits.max_archive_bytes:,} are allowed")
    sizes = [(info.filename[:80], info.file_size, info.compress_size) for info in infos]
    for name, size, packed in [*sizes, ("the whole", total, archive_bytes)]:
        if size > HARMLESS_BYTES and size > limits.max_archive_ratio * packed:
            raise LimitError(
                f"{where}: {name!r} unpacks to {size / max(packed, 1):,.0f} times its size, "
                f"at most {limits.max_archive_ratio:g} times is allowed",
                hint="photographs hardly shrink in an archive; this one is not made of photographs",
            )


def _require_apart(where: str, infos: Sequence[zipfile.ZipInfo]) -> None:
    """Raise FormatError where two members share bytes, by which few bytes unpack to very many."""
    spans = sorted((info.header_offset, info.header_offset + LOCAL_HEADER_BYTES + info.compress_size) for info in infos)
    for (_, end), (start, _) in itertools.pairwise(spans):
        if start < end:
            raise FormatError(f"{where}: members of the archive overlap", hint="make the archive again")


def _checked_parts(where: str, info: zipfile.ZipInfo) -> tuple[str, ...]:
    name = info.orig_filename
    try:
        parts = path_parts(name)
    except (ValueError, UnicodeError) as error:
        raise FormatError(
            f"{where}: the member {name[:80]!r} cannot be unpacked: {error}", hint="make the archive with plain names"
        ) from error
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise FormatError(f"{where}: the member {name[:80]!r} is a link or a device, expected files and folders")
    if info.flag_bits & ENCRYPTED:
        raise FormatError(f"{where}: the member {name[:80]!r} is encrypted", hint="make the archive without a password")
    if info.compress_type not in METHODS:
        raise FormatError(
            f"{where}: the member {name[:80]!r} is packed by method {info.compress_type}",
            hint="make the archive with the ordinary method, deflate",
        )
    if parts[-1].lower().endswith(ARCHIVE_SUFFIXES):
        raise FormatError(f"{where}: holds another archive, {name[:80]!r}", hint="unpack it first")
    return tuple(parts)


def _is_wanted(parts: Sequence[str]) -> bool:
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return not hidden and parts[-1].lower().endswith(WANTED_SUFFIXES)
