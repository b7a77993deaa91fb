import zipfile
from pathlib import Path

import pytest
from PIL import Image

from recon.errors import FormatError, InputError
from recon.io.archive import unpacked


@pytest.fixture
def photo_zip(tmp_path: Path) -> Path:
    Image.new("RGB", (8, 6), (1, 2, 3)).save(tmp_path / "x.png")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("room/images/a.png", "room\\images\\b.PNG", "./c.png", "room/.hidden.png", "__MACOSX/room/a.png"):
            archive.write(tmp_path / "x.png", name)
        archive.writestr("room/notes.pdf", b"words")
        archive.writestr("room/transforms.json", b"{}")
        archive.mkdir("room/empty")
    return tmp_path / "photos.zip"


def test_files_of_use_are_unpacked_and_removed_in_the_end(photo_zip: Path, tmp_path: Path):
    with unpacked(photo_zip) as root:
        files = {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}
        assert files == {"room/images/a.png", "room/images/b.PNG", "c.png", "room/transforms.json"}
        assert (root / "c.png").read_bytes() == (tmp_path / "x.png").read_bytes()
        assert root.stat().st_mode & 0o077 == 0
    assert not root.exists()


def test_folder_is_removed_after_an_error(photo_zip: Path):
    roots = []

    def fail() -> None:
        with unpacked(photo_zip) as root:
            roots.append(root)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not roots[0].exists()


def test_nothing_of_use_missing_and_damaged(tmp_path: Path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.pdf", b"words")
    with pytest.raises(FormatError, match="no image, video or model among 1"), unpacked(path):
        pass
    path.write_bytes(b"PK\x03\x04 and words")
    with pytest.raises(FormatError, match="not a zip"), unpacked(path):
        pass
    with pytest.raises(InputError, match="cannot be unpacked"), unpacked(tmp_path / "none.zip"):
        pass


def test_every_cut_and_many_flips_raise_only_typed_errors(photo_zip: Path, tmp_path: Path):
    good = photo_zip.read_bytes()
    path = tmp_path / "bad.zip"
    variants = [good[:n] for n in range(0, len(good), 7)]
    for place in range(0, len(good), 3):
        variants.append(good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])
    opened = 0
    for content in variants:
        path.write_bytes(content)
        try:
            with unpacked(path) as root:
                assert all(p.resolve().is_relative_to(root.resolve()) for p in root.rglob("*"))
                opened += 1
        except InputError:
            continue
    assert len(variants) > 300
    assert opened < len(variants)  # a flipped time stamp harms nobody
