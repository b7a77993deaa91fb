"""Zip archives of photographs: all that is unpacked stays in its folder and within the limits."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

from fuzzing import SMALL
from seed_data import encoded, picture

from recon.io.archive import unpacked

LIMITS = replace(SMALL, max_archive_members=16, max_archive_bytes=1 << 20)


def packed(members: dict[str, bytes], method: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return stream.getvalue()


def seeds() -> list[bytes]:
    members = {"a.png": encoded(picture(), "PNG"), "sub/transforms.json": b"{}", "notes.txt": b"left packed"}
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    return [packed(members, method) for method in methods]


def feed(data: bytes, folder: Path) -> object:
    path = folder / "x.zip"
    path.write_bytes(data)
    with unpacked(path, limits=LIMITS) as root:
        files = [file for file in root.rglob("*") if not file.is_dir()]
        assert all(file.is_file() and not file.is_symlink() for file in files)
        assert sum(file.stat().st_size for file in files) <= LIMITS.max_archive_bytes
    assert not root.exists()
    return files
