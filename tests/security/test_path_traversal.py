"""S4: no name in a foreign file makes anything outside its folder be read or written."""

import io
import json
import os
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recon.errors import InputError
from recon.io.archive import unpacked
from recon.io.colmap import ColmapCamera, ColmapImage, ColmapModel, read_colmap, write_model
from recon.io.names import path_parts, safe_stem
from recon.io.transforms_json import read_transforms

UP = [
    "../secret.png",
    "../../secret.png",
    "a/../../secret.png",
    "./../secret.png",
    "a/./../../secret.png",
    "..//secret.png",
]
UP += ["..\\secret.png", "a\\..\\..\\secret.png", "..\\/secret.png", "../secret.png\\", "images/../../secret.png", ".."]
UP += ["../", "..\\", ". ./../secret.png", ".. /secret.png", "../. /secret.png", ".../secret.png", "....//secret.png"]
ABSOLUTE = ["/secret.png", "//host/secret.png", "\\secret.png", "\\\\host\\share\\secret.png", "\\\\?\\C:\\secret.png"]
ABSOLUTE += ["/proc/self/environ.png", "/etc/passwd.png", "///secret.png", "/./secret.png"]
DRIVES = [
    "C:secret.png",
    "C:\\secret.png",
    "c:/secret.png",
    "C:",
    "x.png:stream",
    "file:///secret.png",
    "http://host/x.png",
]
UNICODE = [
    "．．/secret.png",
    "..／secret.png",
    "‥/secret.png",
    "․․/secret.png",
    "a＼..＼..＼secret.png",
    "…/secret.png",
    "Ｃ：secret.png",
]
CONTROL = ["a\0.png", "../\0secret.png", "a\n.png", "a\r.png", "a\x1b[2J.png", "a\x7f.png", "\0"]
DEVICES = ["con.png", "CON", "a/nul.png", "aux.tar.png", "com1.png", "LPT9.png", "prn .png", "Con.png/a.png"]
LONG = ["x" * 300 + ".png", "/".join("d" * 200 for _ in range(9)) + "/x.png", "é" * 200 + ".png"]
HOSTILE = UP + ABSOLUTE + DRIVES + UNICODE + CONTROL + DEVICES + LONG
HARMLESS = [
    "a.png",
    "a/b.png",
    "a b/c d.png",
    "./a.png",
    "a//b.png",
    "写真/ü.png",
    "a..b.png",
    "a...png",
    "console.png",
    "%2e%2e/a.png",
]


def png(colour: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), (colour, 0, 0)).save(buffer, format="PNG")
    return buffer.getvalue()


SECRET = png(255)


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A folder with a decoy beside it under each name that leads there; nothing beside it may change."""
    inner = tmp_path / "outer" / "root"
    inner.mkdir(parents=True)
    for place in (tmp_path, tmp_path / "outer"):
        (place / "secret.png").write_bytes(SECRET)
    before = sorted(tmp_path.rglob("*"))
    yield inner
    outside = [path for path in sorted(tmp_path.rglob("*")) if not path.is_relative_to(inner)]
    assert outside == [path for path in before if not path.is_relative_to(inner)]


def zip_of(path: Path, names: list[str], change: Callable[[zipfile.ZipInfo], None] = lambda info: None) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            info = zipfile.ZipInfo("placeholder")
            info.filename = info.orig_filename = name
            change(info)
            archive.writestr(info, SECRET)
    return path


def test_the_corpus_is_large_enough():
    assert len(HOSTILE) >= 60
    assert len(set(HOSTILE)) == len(HOSTILE)


def test_hostile_names_have_no_parts_and_harmless_ones_do():
    accepted = []
    for name in HOSTILE:
        try:
            accepted.append((name, path_parts(name)))
        except ValueError:
            continue
    assert accepted == []  # 0 bad of N
    for name in HARMLESS:
        assert "/".join(path_parts(name)) in (name, name.removeprefix("./"), name.replace("//", "/"))


def test_archives_with_a_hostile_name_are_refused_before_anything_is_written(
    root: Path, monkeypatch: pytest.MonkeyPatch
):
    """Each hostile name comes behind a harmless one, which must not be unpacked either."""
    monkeypatch.setattr("tempfile.tempdir", str(root))
    monkeypatch.setattr("recon.io.archive._write", lambda *_: pytest.fail("written"))
    bad = []
    for name in HOSTILE:
        raw = zip_of(root / "x.zip", ["a.png", "Q" * len(name.encode())]).read_bytes()
        # Written byte for byte, since the writer cleans names that it is given; the flag says that they are UTF-8.
        raw = raw.replace(b"Q" * len(name.encode()), name.encode())
        (root / "x.zip").write_bytes(_as_utf8(raw))
        try:
            with unpacked(root / "x.zip"):
                bad.append(name)
        except InputError:
            continue
    assert bad == []
    assert [p.name for p in root.iterdir()] == ["x.zip"]


def _as_utf8(raw: bytes) -> bytes:
    """Set the flag for UTF-8 names in every local header and directory entry (APPNOTE.TXT 4.4.4, bit 11)."""
    data = bytearray(raw)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(signature)
        while place >= 0:
            struct.pack_into("<H", data, place + offset, 0x800)
            place = data.find(signature, place + 4)
    return bytes(data)


def test_harmless_names_are_unpacked(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(root))
    names = [name for name in HARMLESS if name not in ("./a.png", "a//b.png")]  # others spell these two
    with unpacked(zip_of(root / "x.zip", names)) as folder:
        assert sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()) == sorted(names)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_and_devices_in_archives_are_refused(kind: int, root: Path):
    def change(info: zipfile.ZipInfo) -> None:
        info.external_attr = (kind | 0o777) << 16

    with pytest.raises(InputError, match="link or a device"), unpacked(zip_of(root / "x.zip", ["a.png"], change)):
        pass


def as_transforms(root: Path, name: str) -> None:
    matrix = np.eye(4).tolist()
    frames = [{"file_path": file, "transform_matrix": matrix} for file in ("a.png", name)]
    (root / "transforms.json").write_text(json.dumps({"fl_x": 8.0, "frames": frames}))


def as_colmap(root: Path, name: str) -> None:
    names = ["a.png", name.replace("\0", "")]
    images = {i: ColmapImage(n, 1, (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0)) for i, n in enumerate(names)}
    camera = ColmapCamera("SIMPLE_PINHOLE", (8, 6), (8.0, 4.0, 3.0))
    write_model(root, ColmapModel({1: camera}, images, np.zeros((0, 3)), np.zeros((0, 3), np.uint8)))


@pytest.mark.parametrize(("write", "read"), [(as_transforms, read_transforms), (as_colmap, read_colmap)])
def test_models_that_name_photographs_elsewhere_are_refused(write: Callable, read: Callable, root: Path):
    (root / "a.png").write_bytes(png(7))
    (root / "images").mkdir()
    bad = []
    for name in HOSTILE:
        write(root, name)
        try:
            photographs, _ = read(root)
        except InputError:
            continue
        bad += [name for photograph in photographs if photograph.pixels[0, 0, 0] == 255]
    assert bad == []


@pytest.mark.parametrize(("write", "read"), [(as_transforms, read_transforms), (as_colmap, read_colmap)])
def test_links_that_lead_out_are_not_followed(write: Callable, read: Callable, root: Path):
    (root / "a.png").write_bytes(png(7))
    os.symlink("../secret.png", root / "link.png")
    os.symlink("..", root / "folder")
    os.symlink("loop.png", root / "loop.png")
    for name in ("link.png", "folder/secret.png", "loop.png"):
        write(root, name)
        with pytest.raises(InputError):
            read(root)


def test_names_of_results_stay_in_their_folder(root: Path):
    """What exporters call their files, made from whatever the photographs are called."""
    bad = [name for name in HOSTILE + HARMLESS if (root / f"{safe_stem(name)}.png").resolve().parent != root.resolve()]
    assert bad == []
