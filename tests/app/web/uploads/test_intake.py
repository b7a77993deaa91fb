from dataclasses import replace
from pathlib import Path

import pytest

from app.web.limits import WebLimits
from app.web.uploads.intake import look_at, take_in
from recon.errors import InputError, LimitError, ResourceError
from recon.io.limits import Limits
from tests.app.web.uploads.uploaded_files import encoded, heic, mp4, png_that_claims, put, zipped

SMALL = WebLimits(input=Limits(max_photographs=4, max_file_bytes=40_000, max_pixels=10_000, max_video_bytes=50_000))


def test_photographs_are_copied_in_their_order_under_harmless_names(tmp_path):
    (tmp_path / "b").mkdir()
    uploads = put(tmp_path, z_jpg=encoded("JPEG"), a_png=encoded("PNG"), **{"ü & <b>x_webp": encoded("WEBP")})
    uploads += put(tmp_path / "b", z_jpg=heic()[:0] + encoded("JPEG"))
    intake = look_at(uploads, SMALL)
    target = tmp_path / "input"
    target.mkdir()
    names = take_in(intake, target)
    assert names == ("z.jpg", "a.png", "ü____b_x.webp", "z-2.jpg")
    assert [(target / name).read_bytes() for name in names] == [path.read_bytes() for path in uploads]
    assert intake.refused == {}
    assert intake.family == "image"
    assert all(path.is_file() for path in uploads)


def test_long_names_become_short_ones_that_differ(tmp_path):
    long = "写" * 70
    uploads = put(tmp_path, **{f"{long}a_jpg": encoded("JPEG"), f"{long}b_jpg": encoded("JPEG")})
    target = tmp_path / "input"
    target.mkdir()
    names = take_in(look_at(uploads, SMALL), target)
    assert names == (f"{'写' * 40}.jpg", f"{'写' * 40}-2.jpg")


def test_a_wrong_suffix_of_a_photograph_is_put_right(tmp_path):
    uploads = put(tmp_path, a_jpg=heic(), b_heic=encoded("JPEG"))
    assert [taken.name for taken in look_at(uploads, SMALL).taken] == ["a.heic", "b.jpg"]


def test_a_file_that_is_not_taken_has_its_reason_and_the_others_go_on(tmp_path):
    uploads = put(tmp_path, a_jpg=encoded("JPEG"), b_jpg=b"%PDF-1.7", c_png=png_that_claims(20_000, 20_000),
                  d_jpg=encoded("JPEG"))  # fmt: skip
    intake = look_at(uploads, SMALL)
    assert [taken.name for taken in intake.taken] == ["a.jpg", "d.jpg"]
    assert set(intake.refused) == {"b.jpg", "c.png"}
    assert "no kind of file" in intake.refused["b.jpg"]
    assert intake.refused["c.png"].startswith("Image size (400000000 pixels)")
    assert "at most 10,000 pixels are allowed" in intake.refused["c.png"]
    assert str(tmp_path) not in str(intake.refused)


def test_no_native_library_reads_anything_in_the_server(tmp_path, monkeypatch):
    """HEIC and WebP are looked at by a process that may break, and by the worker; Pillow reads other headers itself."""
    uploads = put(tmp_path, a_heic=heic(), b_webp=encoded("WEBP"), c_jpg=encoded("JPEG"))
    read = []
    monkeypatch.setattr("app.web.uploads.intake.read_header", lambda file, path, limits: read.append(path.suffix))
    assert len(look_at(uploads, SMALL).taken) == 3
    assert read == [".jpg"]


def test_one_video_or_one_archive_is_a_whole(tmp_path):
    video, archive = put(tmp_path, v_mov=mp4(tmp_path / "v.mp4"), z_zip=zipped(("a.jpg", encoded("JPEG"))))
    assert (look_at([video], SMALL).family, look_at([video], SMALL).taken[0].name) == ("video", "v.mp4")
    assert look_at([archive], SMALL).family == "archive"


@pytest.mark.parametrize("names", [["v.mp4", "a.jpg"], ["z.zip", "a.jpg"], ["v.mp4", "z.zip"], ["v.mp4", "w.mp4"]])
def test_what_does_not_go_together_is_refused(tmp_path, names):
    video = mp4(tmp_path / "v.mp4")
    put(tmp_path, w_mp4=video, z_zip=zipped(("a.jpg", encoded("JPEG"))), a_jpg=encoded("JPEG"))
    with pytest.raises(InputError, match="2 files that do not go together"):
        look_at([tmp_path / name for name in names], SMALL)


@pytest.mark.parametrize("num", [0, 1])
def test_too_few_photographs_are_refused_with_the_reasons(tmp_path, num):
    uploads = put(tmp_path, a_jpg=encoded("JPEG"), b_jpg=b"junk and more junk")[1 - num :]
    with pytest.raises(InputError, match=f"{num} of {num + 1} files can be used") as caught:
        look_at(uploads, SMALL)
    assert "b.jpg: this is no kind of file" in caught.value.message
    with pytest.raises(InputError, match="no file"):
        look_at([], SMALL)


def test_an_archive_is_looked_into_before_it_is_taken(tmp_path):
    (bomb,) = put(tmp_path, z_zip=zipped(("a.png", bytes(4_000_000))))
    with pytest.raises(InputError, match=r"z\.zip: .* times its size"):
        look_at([bomb], SMALL)


def test_one_byte_above_a_bound_is_refused_and_one_below_is_taken(tmp_path):
    picture = encoded("JPEG")
    exact = picture + bytes(SMALL.input.max_file_bytes - len(picture))
    uploads = put(tmp_path, a_jpg=exact, b_jpg=exact + b"\0", c_jpg=picture)
    assert look_at(uploads, SMALL).refused == {"b.jpg": "40,001 bytes, at most 40,000 are allowed"}
    total = sum(path.stat().st_size for path in uploads)
    assert len(look_at(uploads, replace(SMALL, max_upload_bytes=total)).taken) == 2
    with pytest.raises(LimitError, match=f"{total:,} bytes in all, at most {total - 1:,}"):
        look_at(uploads, replace(SMALL, max_upload_bytes=total - 1))
    many = put(tmp_path, **{f"m{i}_jpg": picture for i in range(5)})
    assert len(look_at(many[:4], SMALL).taken) == 4
    with pytest.raises(LimitError, match="5 files, at most 4"):
        look_at(many, SMALL)


def test_uploads_that_are_gone_or_a_full_disk(tmp_path, monkeypatch):
    uploads = put(tmp_path, a_jpg=encoded("JPEG"), b_jpg=encoded("JPEG"))
    with pytest.raises(InputError, match="gone"):
        look_at([*uploads, tmp_path / "gone.jpg"], SMALL)
    intake = look_at(uploads, SMALL)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", fail)
    target = tmp_path / "input"
    target.mkdir()
    with pytest.raises(ResourceError, match="No space left"):
        take_in(intake, target)


def test_links_among_the_copies_are_never_followed(tmp_path):
    """Should a name be there already, nothing is written through it."""
    uploads = put(tmp_path, a_jpg=encoded("JPEG"), b_jpg=encoded("JPEG"))
    target, secret = tmp_path / "input", tmp_path / "secret"
    target.mkdir()
    secret.write_text("secret")
    Path(target, "a.jpg").symlink_to(secret)
    with pytest.raises(ResourceError):
        take_in(look_at(uploads, SMALL), target)
    assert secret.read_text() == "secret"
