"""S5: archives that unpack to too much, hold archives, or lie, are refused with hardly a byte written."""

import io
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from recon.errors import FormatError, InputError, LimitError, ResourceError
from recon.io.archive import unpacked
from recon.io.limits import MEBIBYTE, Limits
from recon.pipeline.loading import open_source

SMALL = Limits(max_archive_bytes=8 * MEBIBYTE, max_archive_members=50)
CENTRAL, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def png(side: int = 8) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((side, side), 90).save(buffer, format="PNG")
    return buffer.getvalue()


def patched(content: bytes, signature: bytes, offset: int, form: str, value: int) -> bytes:
    """Change a field in every record of a kind."""
    data = bytearray(content)
    place = data.find(signature)
    while place >= 0:
        struct.pack_into(form, data, place + offset, value)
        place = data.find(signature, place + 4)
    return bytes(data)


def flat_bomb() -> bytes:
    return zipped(("a.png", bytes(7 * MEBIBYTE)))


def many_flat_bombs() -> bytes:
    """Each below the ratio that counts, all together far above it."""
    return zipped(*[(f"{i}.png", bytes(MEBIBYTE)) for i in range(7)])


def too_much_in_all() -> bytes:
    return zipped(*[(f"{i}.png", png(1700)) for i in range(4)], method=zipfile.ZIP_STORED)


def too_many_members() -> bytes:
    return zipped(*[(f"{i}.png", b"") for i in range(51)])


def too_many_hidden_members() -> bytes:
    return zipped(*[(f".{i}", b"") for i in range(51)])


def nested() -> bytes:
    return zipped(("a.png", png()), ("more/inner.ZIP", zipped(("b.png", png()))))


def nested_under_another_name() -> bytes:
    return zipped(("inner.png", zipped(("b.png", png()))))


def many_layers() -> bytes:
    """In the manner of 42.zip: sixteen archives in each archive."""
    inner = zipped(("0.png", bytes(MEBIBYTE)))
    for _ in range(3):
        inner = zipped(*[(f"{i}.zip", inner) for i in range(16)])
    return inner


def overlapping() -> bytes:
    """In the manner of Fifield's bomb: two entries of the directory point to one body."""
    content = zipped(("a.png", png()), ("b.png", png()))
    first = content.index(CENTRAL)
    second = content.index(CENTRAL, first + 4)
    data = bytearray(content)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    return bytes(data)


def declares_less_than_it_holds() -> bytes:
    return patched(patched(zipped(("a.png", png(100))), CENTRAL, 24, "<I", 50), LOCAL, 22, "<I", 50)


def declares_more_than_it_holds() -> bytes:
    return patched(patched(zipped(("a.png", png(100))), CENTRAL, 24, "<I", 60_000), LOCAL, 22, "<I", 60_000)


def wrong_checksum() -> bytes:
    return patched(patched(zipped(("a.png", png())), CENTRAL, 16, "<I", 7), LOCAL, 14, "<I", 7)


def encrypted() -> bytes:
    return patched(patched(zipped(("a.png", png())), CENTRAL, 8, "<H", 1), LOCAL, 6, "<H", 1)


def rare_method() -> bytes:
    return zipped(("a.png", png()), method=zipfile.ZIP_LZMA)


def huge_directory() -> bytes:
    return patched(zipped(("a.png", png())), END, 12, "<I", 2**31)


def huge_directory_in_64_bits() -> bytes:
    content = zipped(("a.png", png()))
    end = content.index(END)
    wide = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 2**40, 2**40, 2**50, 0)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    return content[:end] + wide + locator + patched(content[end:], END, 12, "<I", 0xFFFFFFFF)


def same_name_twice() -> bytes:
    content = zipped(("a.png", png()), ("b.png", png()))
    return content.replace(b"b.png", b"a.png")


BOMBS: list[tuple[Callable[[], bytes], type[InputError]]] = [
    (flat_bomb, LimitError),
    (many_flat_bombs, LimitError),
    (too_much_in_all, LimitError),
    (too_many_members, LimitError),
    (too_many_hidden_members, LimitError),
    (nested, FormatError),
    (nested_under_another_name, FormatError),
    (many_layers, FormatError),
    (overlapping, FormatError),
    (declares_less_than_it_holds, FormatError),
    (declares_more_than_it_holds, FormatError),
    (wrong_checksum, FormatError),
    (encrypted, FormatError),
    (rare_method, FormatError),
    (huge_directory, LimitError),
    (huge_directory_in_64_bits, LimitError),
    (same_name_twice, FormatError),
]


@pytest.mark.parametrize(("make", "kind"), BOMBS, ids=lambda value: getattr(value, "__name__", ""))
def test_bombs_are_refused_and_leave_nothing(
    make: Callable[[], bytes], kind: type[InputError], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    written = 0
    original = zipfile.ZipExtFile.read

    def counting(self: zipfile.ZipExtFile, n: int | None = -1) -> bytes:
        nonlocal written
        content = original(self, n)
        written += len(content)
        return content

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(zipfile.ZipExtFile, "read", counting)
    (tmp_path / "bomb.zip").write_bytes(make())
    start = time.perf_counter()
    with pytest.raises(kind, match=r"bomb\.zip|inner\.png"):
        open_source(tmp_path / "bomb.zip", limits=SMALL)
    assert time.perf_counter() - start < 5
    assert written <= MEBIBYTE
    assert [path.name for path in tmp_path.iterdir()] == ["bomb.zip"]


def test_the_refused_archives_are_fine_but_for_what_is_wrong_with_them(tmp_path: Path):
    """The control: an archive of the same making, within the bounds, is read."""
    (tmp_path / "good.zip").write_bytes(zipped(*[(f"{i}.png", png()) for i in range(50)]))
    assert len(open_source(tmp_path / "good.zip", limits=SMALL).photographs) == 50


def test_the_bounds_that_hold_by_default():
    limits = Limits()
    assert (limits.max_archive_ratio, limits.max_archive_members, limits.max_archive_bytes) == (100, 5000, 2 << 30)


def test_full_disk_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a.zip").write_bytes(zipped(("a.png", png())))

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("recon.io.archive._write", fail)
    with pytest.raises(ResourceError, match="no room"), unpacked(tmp_path / "a.zip"):
        pass
