"""Files of `torch.save`, looked at before torch's restricted unpickler opens them.

`weights_only` lets no code run, but a file of a few bytes may still ask for gigabytes: by a packed entry, or by a call
of `bytearray` with a number. Files that torch itself wrote hold neither.
"""

import mmap
import zipfile
from pathlib import Path

from recon.errors import FormatError
from recon.io.limits import MEBIBYTE

MAX_PICKLE_BYTES = 64 * MEBIBYTE
"""Of the part that lists the tensors."""
MAX_MEMBERS = 100_000
"""Tensors and further entries of a file."""
ZIP_MAGIC = b"PK\x03\x04"
ALLOCATION = (b"cbuiltins\nbytearray\n", b"c__builtin__\nbytearray\n")
"""The opcode that looks `bytearray` up, with its argument; text of a file holds no such line."""


def is_zip(path: Path) -> bool:
    """Whether a file has the form that torch writes since version 1.6."""
    with path.open("rb") as file:
        return file.read(len(ZIP_MAGIC)) == ZIP_MAGIC


def require_no_more_than_on_disk(path: Path) -> None:
    """Raise unless reading the file takes about the memory that it takes on disk.

    Raises:
        FormatError: It has packed or too many entries, a list of tensors above 64 MiB, or asks for room of its own.
        OSError: It cannot be read.
    """
    if is_zip(path):
        _require_plain(path)
    elif path.stat().st_size:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            _require_no_allocation(path, data)


def _require_plain(path: Path) -> None:
    try:
        size = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise FormatError(f"{path}: {len(members):,} entries, expected at most {MAX_MEMBERS:,}")
            for member in members:
                is_list = member.filename.endswith(".pkl")
                largest = MAX_PICKLE_BYTES if is_list else size
                if member.compress_type != zipfile.ZIP_STORED or member.file_size > largest:
                    raise FormatError(
                        f"{path}: the entry {member.filename!a} is packed or unpacks to {member.file_size:,} bytes, "
                        f"expected plain and at most {largest:,}"
                    )
                if is_list:
                    _require_no_allocation(path, archive.read(member))
    except (ValueError, NotImplementedError, RuntimeError, zipfile.BadZipFile, EOFError) as error:
        raise FormatError(
            f"{path}: not a file that torch.save wrote in its present form ({error})",
            hint="files of torch before 1.6 must be saved anew; give the file as it was published",
        ) from error


def _require_no_allocation(path: Path, data: bytes | mmap.mmap) -> None:
    if any(data.find(call) >= 0 for call in ALLOCATION):
        raise FormatError(f"{path}: asks for memory of its own (bytearray), expected tensors and plain containers")
