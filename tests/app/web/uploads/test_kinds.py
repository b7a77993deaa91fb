import pytest

from app.web.uploads.kinds import Kind, kind_of
from recon.errors import FormatError, InputError
from tests.app.web.uploads.uploaded_files import encoded, heic, mp4, put, zipped


def test_files_are_known_by_their_first_bytes(tmp_path):
    files = {
        "a_jpg": (encoded("JPEG"), ".jpg"),
        "b_jpeg": (encoded("PNG"), ".png"),  # both photographs: the name is put right
        "c_PNG": (encoded("WEBP"), ".webp"),
        "d_tiff": (encoded("TIFF"), ".tif"),
        "e_bmp": (encoded("BMP"), ".bmp"),
        "f_HEIC": (heic(), ".heic"),
    }
    for name, (content, suffix) in files.items():
        (path,) = put(tmp_path, **{name: content})
        assert kind_of(path) == Kind("image", suffix)
    video, archive = put(tmp_path, v_mov=mp4(tmp_path / "x.mp4"), z_zip=zipped(("a.jpg", b"")))
    assert kind_of(video) == Kind("video", ".mp4")
    assert kind_of(archive) == Kind("archive", ".zip")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a_jpg", zipped(("a.jpg", b"")), "zip archive, but its name says a photograph"),
        ("a_zip", encoded("PNG"), "a photograph, but its name says a zip archive"),
        ("a_mp4", encoded("JPEG"), "a photograph, but its name says a video"),
        ("a_txt", encoded("JPEG"), "its name does not say so"),
        ("a_jpg", b"GIF89a" + bytes(60), "no kind of file"),
        ("a_jpg", b"%PDF-1.7\n" + bytes(60), "no kind of file"),
        ("a_png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no kind of file"),
        ("a_mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "no kind of file"),
        ("a_mp4", b"ffconcat version 1.0\nfile /etc/passwd\n", "no kind of file"),
        ("a_jpg", b"\x7fELF" + bytes(60), "no kind of file"),
        ("a_jpg", b"\xff\xd8", "no kind of file"),
        ("a_jpg", b"", "empty"),
    ],
)
def test_what_is_something_else_is_said_so(tmp_path, name, content, reason):
    (path,) = put(tmp_path, **{name: content})
    with pytest.raises(FormatError, match=reason):
        kind_of(path)


def test_a_file_that_is_gone(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        kind_of(tmp_path / "gone.jpg")
