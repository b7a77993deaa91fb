"""Bytes of files whose length is known before they are read."""

from pathlib import Path

from recon.errors import FormatError, InputError


def file_size(path: Path) -> int:
    """Length of a file in bytes.

    Raises:
        InputError: There is no such file.
    """
    try:
        if not path.is_file():
            raise InputError(f"{path}: there is no such file")
        return path.stat().st_size
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the file cannot be read ({error})") from error


def read_bytes(path: Path, start: int, num: int) -> bytes:
    """Exactly `num` bytes from the position `start`.

    Raises:
        InputError: The file cannot be read.
        FormatError: It ends before.
    """
    try:
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(num)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the file cannot be read ({error})") from error
    if len(data) != num:
        raise FormatError(f"{path}: ends {num - len(data):,} bytes too early", hint="the file was cut off")
    return data
