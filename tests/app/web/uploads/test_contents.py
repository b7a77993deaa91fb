"""What a video or a zip says of itself before a job, and thumbnails of what browsers do not show."""

import io
from pathlib import Path

import pytest
from PIL import Image

from app.web.limits import WebLimits
from app.web.uploads.checking import check_uploads
from app.web.uploads.folder import upload_folder
from app.web.uploads.intake import look_at
from app.web.uploads.kinds import kind_of
from app.web.uploads.thumbnails import LONG_SIDE, thumbnail_of
from tests.app.web.uploads.uploaded_files import encoded, heic, mp4, textured, zipped


def told(path: Path) -> dict[str, str]:
    """Kind and words of everything that is said about one upload."""
    limits = WebLimits(max_check_seconds=240)
    return {warning.kind: warning.words for warning in check_uploads(look_at([path], limits), limits)}


def test_a_video_tells_its_length_and_how_many_frames_are_taken(tmp_path: Path):
    path = tmp_path / "a.mp4"
    mp4(path, num=48)  # four a second
    found = told(path)
    assert set(found) == {"contents"}
    assert "12 s, 64 x 64 pixels. About 40 of its frames" in found["contents"]


def test_a_short_video_gives_few_photographs(tmp_path: Path):
    path = tmp_path / "a.mp4"
    mp4(path, num=4)
    found = told(path)
    assert "1.0 s" in found["contents"]
    assert "About 4 of its frames" in found["contents"]
    assert "Only 4 photographs" in found["few"]


def test_a_video_that_is_cut_off_is_told_before_the_job(tmp_path: Path):
    path = tmp_path / "a.mp4"
    path.write_bytes(mp4(tmp_path / "whole.mp4")[:200])
    assert kind_of(path).family == "video"
    assert set(told(path)) == {"broken"}


def test_a_zip_tells_how_many_photographs_it_holds_and_that_their_sizes_differ(tmp_path: Path):
    path = tmp_path / "a.zip"
    small, large = encoded("JPEG"), encoded("PNG", textured(128))
    path.write_bytes(zipped(("a/1.jpg", small), ("a/2.png", large), ("a/notes.txt", b"x"), ("transforms.json", b"{}")))
    found = told(path)
    assert set(found) == {"contents", "few", "sizes"}
    assert "2 photographs" in found["contents"]
    assert "camera positions" in found["contents"]
    assert "128 x 128, 64 x 64" in found["sizes"]


def test_a_zip_of_many_photographs_of_one_size_is_told_without_a_warning(tmp_path: Path):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(*((f"{i}.jpg", encoded("JPEG", textured(seed=i))) for i in range(12))))
    found = told(path)
    assert set(found) == {"contents"}
    assert "12 photographs" in found["contents"]
    assert "camera positions" not in found["contents"]


def test_a_zip_with_a_video_is_told(tmp_path: Path):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(("a.mp4", mp4(tmp_path / "b.mp4"))))
    assert told(path) == {"contents": "The zip: a video."}


@pytest.mark.parametrize(("name", "content"), [("a.heic", heic()), ("b.tif", encoded("TIFF", textured(400)))])
def test_what_browsers_do_not_show_gets_a_thumbnail_among_the_uploads_and_nowhere_else(
    name: str, content: bytes, tmp_path: Path
):
    limits = WebLimits(max_check_seconds=240)
    elsewhere = tmp_path / name
    elsewhere.write_bytes(content)
    with upload_folder() as folder:
        uploads = [folder / "hash" / name, folder / "hash" / "c.jpg"]
        uploads[0].parent.mkdir()
        uploads[0].write_bytes(content)
        uploads[1].write_bytes(encoded("JPEG"))
        check_uploads(look_at([*uploads, elsewhere], limits), limits)
        with Image.open(io.BytesIO(thumbnail_of(uploads[0]).read_bytes())) as picture:
            assert picture.format == "JPEG"
            assert max(picture.size) == min(LONG_SIDE, 64 if name == "a.heic" else 400)
        assert not thumbnail_of(uploads[1]).exists()
    assert not thumbnail_of(elsewhere).exists()
