"""Uploads that were begun or forgotten do not stay."""

import os
import time
from pathlib import Path

from app.web.uploads.folder import SECONDS_FOR_A_PART, SECONDS_KEPT, keep, sweep, upload_folder


def made(path: Path, age: float) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    for touched in (path, path.parent):
        os.utime(touched, (time.time() - age,) * 2)
    return path


def test_what_was_forgotten_goes_and_what_is_in_use_stays(tmp_path: Path):
    part = made(tmp_path / "tmpabc", SECONDS_FOR_A_PART + 10)
    young_part = made(tmp_path / "tmpdef", SECONDS_FOR_A_PART - 10)
    old = made(tmp_path / "hash" / "old.jpg", SECONDS_KEPT + 10)
    young = made(tmp_path / "other" / "young.jpg", SECONDS_KEPT - 10)
    assert sweep(tmp_path, time.time()) == 2
    assert not part.exists()
    assert not old.exists()
    assert young_part.exists()
    assert young.exists()
    os.utime(old.parent, (time.time() - SECONDS_KEPT - 10,) * 2)
    assert sweep(tmp_path, time.time()) == 0
    assert not old.parent.exists()


def test_a_link_goes_and_what_it_names_stays(tmp_path: Path):
    uploads, elsewhere = tmp_path / "uploads", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept.txt").write_text("x")
    uploads.mkdir()
    (uploads / "link").symlink_to(elsewhere)
    assert sweep(uploads, time.time() + SECONDS_KEPT + 10) == 1
    assert (elsewhere / "kept.txt").exists()


def test_a_draft_that_is_changed_lives_on_and_other_files_are_left_alone(tmp_path: Path):
    outside = made(tmp_path / "outside.jpg", 5000)
    with upload_folder() as folder:
        upload = made(folder / "hash" / "a.jpg", SECONDS_KEPT - 10)
        keep([upload, outside, folder / "gone.jpg"])
        assert sweep(folder, time.time() + 20) == 0
        assert upload.exists()
        assert time.time() - outside.stat().st_mtime > 4000
        with upload_folder() as same:
            assert same == folder
    assert not folder.exists()
