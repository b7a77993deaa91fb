"""S4-S8 and S13 through the intake of the page: what people upload is refused with a reason, and leads nowhere."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.web.engine import Engine
from app.web.limits import WebLimits
from app.web.uploads.intake import look_at, take_in
from recon.errors import InputError, LimitError, ReconError
from recon.io.limits import MEBIBYTE
from tests.app.web.fake_workers import write_workers
from tests.app.web.uploads.uploaded_files import encoded, mp4, textured, zipped
from tests.security import test_image_bombs as pictures
from tests.security import test_path_traversal as traversal
from tests.security import test_zip_bombs as bombs

LIMITS = WebLimits()
NAMES = [
    *traversal.HOSTILE, "<img src=x onerror=alert(1)>.jpg", "a'; rm -rf ~; '.jpg", "$(id).jpg", "`id`.jpg", "-rf.jpg",
    "--version.jpg", ".hidden.jpg", "..jpg", "a\u202egpj.exe.jpg", "%00.jpg", "%2e%2e%2fa.jpg", "a|b.jpg", "a*?.jpg",
    "{0}.jpg", "%s%n.jpg", "😀.jpg", "CON.jpg", "nul .jpg", "a.jpg.exe.jpg",
]  # fmt: skip
"""Of S4 and S14: names as a client may send them, whatever the browser or the page does about them before."""


class Upload:
    """A path whose name is what a client says, while the file lies elsewhere."""

    def __init__(self, path: Path, name: str):
        self._path, self.name = path, name
        self.stem, self.parent = Path(name.replace("\0", "")).stem, path.parent

    def open(self, mode: str):
        return self._path.open(mode)

    def stat(self) -> os.stat_result:
        return self._path.stat()

    def with_suffix(self, suffix: str) -> Path:
        return self._path.with_suffix(suffix)


def test_s4_no_name_of_an_upload_leads_out_of_the_folder_of_the_job(tmp_path):
    """0 of N: every file is copied below the folder, under a plain name of its own, or refused."""
    (tmp_path / "source").write_bytes(encoded("JPEG"))
    target = tmp_path / "jobs" / "job" / "input"
    target.mkdir(parents=True)
    taken = 0
    for start in range(0, len(NAMES), 20):
        uploads = [Upload(tmp_path / "source", name) for name in NAMES[start : start + 20]]
        intake = look_at(uploads, LIMITS)  # pyright: ignore[reportArgumentType]
        for file in target.iterdir():
            file.unlink()
        names = take_in(intake, target)
        taken += len(names)
        assert {path.name for path in target.iterdir()} == set(names)
        assert len(names) + len(intake.refused) == len(uploads)
        for name in names:
            assert "/" not in name
            assert "\\" not in name
            assert not name.startswith((".", "-"))
            assert name.isprintable()
            assert len(name.encode()) < 255
            assert not set(name) & set("<>|*?:\"'`$&;%{}")
    assert len(NAMES) > 60
    assert taken > 40
    everything = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")}
    assert everything == {"source", "jobs"}
    assert {path for path in (tmp_path / "jobs").rglob("*") if path.is_file()} == set(target.iterdir())


@pytest.mark.parametrize("name", [name for name in traversal.HOSTILE if "\0" not in name])  # zipfile writes no NUL
def test_s4_no_archive_with_a_hostile_member_is_taken(name, tmp_path):
    path = tmp_path / "upload.zip"
    path.write_bytes(zipped((name, encoded("PNG")), ("ok.png", encoded("PNG"))))
    with pytest.raises(InputError, match=r"upload\.zip"):
        look_at([path], LIMITS)


ONLY_FOUND_WHEN_UNPACKED = (
    *("declares_less_than_it_holds", "declares_more_than_it_holds", "wrong_checksum"),
    "nested_under_another_name",
)
"""The worker refuses these while it unpacks; see `test_zip_bombs`."""
EARLY = [make for make, _ in bombs.BOMBS if make.__name__ not in ONLY_FOUND_WHEN_UNPACKED]


@pytest.mark.parametrize("make", EARLY, ids=lambda make: make.__name__)
def test_s5_bombs_are_refused_by_their_directory_before_anything_is_kept(make, tmp_path):
    path = tmp_path / "bomb.zip"
    path.write_bytes(make())
    with pytest.raises(InputError, match=r"bomb\.zip"):
        look_at([path], replace(LIMITS, input=bombs.SMALL))


@pytest.mark.parametrize("name", pictures.REFUSED)
def test_s6_image_bombs_are_left_out_with_a_reason(name, tmp_path):
    for other in ("a.jpg", "b.jpg"):
        (tmp_path / other).write_bytes(encoded("JPEG"))
    (tmp_path / name).write_bytes(pictures.REFUSED[name]())
    intake = look_at([tmp_path / "a.jpg", tmp_path / name, tmp_path / "b.jpg"], LIMITS)
    assert [taken.name for taken in intake.taken] == ["a.jpg", "b.jpg"]
    assert len(intake.refused[name]) > 10
    assert str(tmp_path) not in intake.refused[name]


def test_s7_odd_but_valid_pictures_are_taken(tmp_path):
    image = textured()
    odd = {
        "grey.png": encoded("PNG", image.convert("L")),
        "alpha.png": encoded("PNG", image.convert("RGBA")),
        "palette.png": encoded("PNG", image.convert("P")),
        "cmyk.jpg": encoded("JPEG", image.convert("CMYK")),
        "sixteen.png": encoded("PNG", Image.fromarray(np.zeros((9, 9), np.uint16))),
        "one.png": encoded("PNG", image.resize((1, 1))),
        "thin.png": encoded("PNG", image.resize((1, 5000))),
        "many.webp": pictures.READ["webp_frames.webp"](),
        "pages.tif": pictures.READ["tiff_pages.tif"](),
        "moving.png": pictures.READ["apng.png"](),
    }
    for name, content in odd.items():
        (tmp_path / name).write_bytes(content)
    intake = look_at([tmp_path / name for name in odd], LIMITS)
    assert [taken.name for taken in intake.taken] == list(odd)


PLAYLISTS = {
    "hls.mp4": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n",
    "concat.mp4": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "dash.mp4": b"<?xml version='1.0'?><MPD><BaseURL>file:///etc/passwd</BaseURL></MPD>",
    "url.mp4": b"http://127.0.0.1/secret.mp4",
    "pls.avi": b"[playlist]\nFile1=/etc/passwd\n",
    "spaces.mkv": b"   #EXTM3U\nfile:///etc/passwd",
    "sdp.mp4": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    "junk.mov": bytes(range(256)),
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_s8_playlists_under_the_name_of_a_video_are_refused(name, tmp_path):
    (tmp_path / name).write_bytes(PLAYLISTS[name])
    with pytest.raises(InputError, match="no kind of file"):
        look_at([tmp_path / name], LIMITS)


def polyglots(folder: Path) -> dict[str, bytes]:
    """Files that are two things at once, under the name of either."""
    jpeg, png, archive = encoded("JPEG"), encoded("PNG"), zipped(("a.jpg", encoded("JPEG")))
    video = mp4(folder / "v.mp4")
    return {
        "zip_as.jpg": archive,
        "jpeg_as.zip": jpeg + archive,
        "jpeg_as.mp4": jpeg + video,
        "html_as.png": b"<html><script>alert(1)</script>" + png,
        "elf_as.png": b"\x7fELF\x02\x01\x01" + png,
        "pdf_as.jpg": b"%PDF-1.4\n" + jpeg,
        "gif_as.jpg": b"GIF89a" + bytes(20) + jpeg,
        "svg_as.webp": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "video_as.jpg": video,
        "png_as.mov": png,
        "script_as.zip": b"#!/bin/sh\nid\n",
        "pickle_as.zip": b"\x80\x04\x95\x10\x00",
        "empty.jpg": b"",
        "empty.zip": b"",
        "short.png": b"\x89PNG\r\n\x1a\n",
        "tiff_loop.tif": b"II*\0\x08\0\0\0\x01\0" + b"\0" * 12 + b"\x08\0\0\0",
        "brand.heic": b"\0\0\0\x18ftypheic" + bytes(8),
        "old.jp2": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(20),
    }


def test_s13_polyglots_and_junk_are_refused_each_with_a_readable_reason(tmp_path):
    (tmp_path / "files").mkdir()
    found = polyglots(tmp_path)
    for name, content in found.items():
        (tmp_path / "files" / name).write_bytes(content)
    refused = {}
    for name in found:
        with pytest.raises(InputError) as caught:
            look_at([tmp_path / "files" / name], LIMITS)
        refused[name] = caught.value.message.split(f"{name}: ")[-1]
    assert len(refused) == 18
    assert all(10 < len(reason) < 300 and reason.isprintable() for reason in refused.values()), refused
    assert not any(str(tmp_path) in reason for reason in refused.values())


def test_s13_a_picture_with_an_archive_behind_it_is_only_a_picture(tmp_path):
    """The bytes are kept, but nothing ever opens them as an archive."""
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(encoded("JPEG") + zipped(("evil.jpg", b"x")))
    intake = look_at([tmp_path / "a.jpg", tmp_path / "b.jpg"], LIMITS)
    assert [(taken.kind.family, taken.name) for taken in intake.taken] == [("image", "a.jpg"), ("image", "b.jpg")]


def test_s13_every_bound_is_exact(tmp_path):
    picture = encoded("JPEG")
    for name, size in (("a.jpg", 0), ("b.jpg", 0), ("c.jpg", 0)):
        (tmp_path / name).write_bytes(picture + bytes(size))
    uploads = [tmp_path / name for name in ("a.jpg", "b.jpg", "c.jpg")]
    size, total = len(picture), 3 * len(picture)
    cases = [
        (replace(LIMITS, max_upload_bytes=total), replace(LIMITS, max_upload_bytes=total - 1)),
        (_with(max_file_bytes=size), _with(max_file_bytes=size - 1)),
        (_with(max_photographs=3), _with(max_photographs=2)),
        (_with(max_pixels=64 * 64), _with(max_pixels=64 * 64 - 1)),
    ]
    for enough, too_little in cases:
        assert len(look_at(uploads, enough).taken) == 3
        with pytest.raises(InputError):
            look_at(uploads, too_little)
    (tmp_path / "v.mp4").write_bytes(mp4(tmp_path / "w.mp4"))
    num_bytes = (tmp_path / "v.mp4").stat().st_size
    assert len(look_at([tmp_path / "v.mp4"], _with(max_video_bytes=num_bytes)).taken) == 1
    with pytest.raises(InputError, match=f"at most {num_bytes - 1:,}"):
        look_at([tmp_path / "v.mp4"], _with(max_video_bytes=num_bytes - 1))


def test_s13_a_refused_upload_leaves_nothing_in_the_folder_of_jobs(tmp_path, monkeypatch):
    (tmp_path / "workers").mkdir()
    write_workers(tmp_path / "workers")
    monkeypatch.syspath_prepend(tmp_path / "workers")
    files = polyglots(tmp_path)
    (tmp_path / "files").mkdir()
    with Engine(LIMITS, tmp_path / "jobs", worker="quick_worker") as engine:
        root = engine.folder(engine.submit(_two(tmp_path))).parent
        before = {path.name for path in root.iterdir()}
        for name, content in files.items():
            (tmp_path / "files" / name).write_bytes(content)
            with pytest.raises(ReconError):
                engine.submit([tmp_path / "files" / name])
        assert {path.name for path in root.iterdir()} == before


def test_the_bounds_that_hold_by_default():
    shown = json.loads(json.dumps(LIMITS.__dict__ | {"input": LIMITS.input.__dict__}))
    assert shown["input"]["max_archive_ratio"] == 100
    assert shown["input"]["max_file_bytes"] == 64 * MEBIBYTE
    assert shown["max_upload_bytes"] == 2048 * MEBIBYTE
    with pytest.raises(LimitError):
        look_at([Path(__file__)] * 201, LIMITS)


def _with(**bounds: int) -> WebLimits:
    return replace(LIMITS, input=replace(LIMITS.input, **bounds))


def _two(folder: Path) -> list[Path]:
    for name in ("x.jpg", "y.jpg"):
        (folder / name).write_bytes(encoded("JPEG"))
    return [folder / "x.jpg", folder / "y.jpg"]
