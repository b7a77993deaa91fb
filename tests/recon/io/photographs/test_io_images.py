import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms

from recon.errors import FormatError, InputError, LimitError, ReconError, ResourceError
from recon.io.limits import Limits
from recon.io.photographs.images import load_photograph, load_photographs

Picture = Callable[[int, int], np.ndarray]

# What a file stores for an upright picture u, from the words of Exif 2.32, tag 0112: row 0 and column 0 are ...
STORED = {
    1: lambda u: u,  # top, left
    2: lambda u: u[:, ::-1],  # top, right
    3: lambda u: u[::-1, ::-1],  # bottom, right
    4: lambda u: u[::-1],  # bottom, left
    5: lambda u: u.transpose(1, 0, 2),  # left, top
    6: lambda u: np.rot90(u, 1),  # right, top
    7: lambda u: u[::-1, ::-1].transpose(1, 0, 2),  # right, bottom
    8: lambda u: np.rot90(u, -1),  # left, bottom
}


def exif_of(tag: int, value: object) -> Image.Exif:
    exif = Image.Exif()
    exif[tag] = value
    return exif


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "jpg"])
def test_every_orientation_becomes_upright(orientation: int, suffix: str, tmp_path: Path, picture: Picture):
    upright = picture(36, 20)
    path = tmp_path / f"x.{suffix}"
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](upright)))
    options = {"webp": {"lossless": True, "exact": True}, "jpg": {"quality": 98, "subsampling": 0}}.get(suffix, {})
    stored.save(path, exif=exif_of(ExifTags.Base.Orientation, orientation), **options)
    photograph = load_photograph(path)
    assert photograph.original_size == photograph.size == (36, 20)
    error = np.abs(photograph.pixels.astype(int) - upright).max()
    assert error <= (8 if suffix == "jpg" else 0)


@pytest.mark.parametrize("value", [0, 9, 250, 65535])
def test_junk_orientation_leaves_the_picture_as_it_is(value: int, tmp_path: Path, picture: Picture):
    path = tmp_path / "x.png"
    Image.fromarray(picture(12, 7)).save(path, exif=exif_of(ExifTags.Base.Orientation, value))
    assert np.array_equal(load_photograph(path).pixels, picture(12, 7))


JUNK_EXIF = [b"", b"junk", b"junkjunkjunk", b"II*\0" + b"\xff" * 40, b"MM\0*" + b"\0" * 9]
# Well-formed directories with a text as orientation, and with text or a place behind the end as Exif pointer.
JUNK_EXIF += [b"II*\0\x08\0\0\0\x02\0\x12\x01\x02\0\x04\0\0\0abcd\x69\x87\x02\0\x04\0\0\0abcd\0\0\0\0"]
JUNK_EXIF += [b"II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\xff\xff\xff\xff\0\0\0\0"]


@pytest.mark.filterwarnings("ignore:.*orrupt EXIF")
@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("junk", JUNK_EXIF)
def test_junk_exif_keeps_the_pixels(junk: bytes, suffix: str, tmp_path: Path, picture: Picture):
    path = tmp_path / f"x.{suffix}"
    exif = b"Exif\0\0" + junk if suffix == "jpg" else junk or b"\0"
    Image.fromarray(picture(16, 16)).save(path, exif=exif, quality=98, subsampling=0)
    photograph = load_photograph(path)
    assert np.abs(photograph.pixels.astype(int) - picture(16, 16)).max() <= 8
    assert photograph.focal_px is None
    assert photograph.camera_id == "16x16"


def test_grey_modes_repeat_the_grey(tmp_path: Path, picture: Picture):
    grey = picture(20, 10)[..., 2]
    expected = np.repeat(grey[..., None], 3, axis=2)
    Image.fromarray(grey).save(tmp_path / "l.png")
    Image.merge("LA", [Image.fromarray(grey), Image.new("L", (20, 10), 255)]).save(tmp_path / "la.png")
    wide = grey.astype(np.uint16) * 257
    Image.fromarray(wide).save(tmp_path / "i16.png")
    Image.fromarray(wide).save(tmp_path / "i16.tif")
    Image.fromarray(wide.astype(np.int32)).save(tmp_path / "i32.tif")
    for path in sorted(tmp_path.iterdir()):
        assert np.array_equal(load_photograph(path).pixels, expected), path.name


def test_bilevel_is_black_and_white(tmp_path: Path):
    Image.new("1", (4, 3), 1).save(tmp_path / "x.png")
    assert (load_photograph(tmp_path / "x.png").pixels == 255).all()


def test_sixteen_bit_colour_loses_only_its_low_byte(tmp_path: Path, picture: Picture):
    cv2.imwrite(str(tmp_path / "x.png"), picture(20, 10)[..., ::-1].astype(np.uint16) * 257)
    assert np.array_equal(load_photograph(tmp_path / "x.png").pixels, picture(20, 10))


def test_transparency_lies_over_white(tmp_path: Path):
    colour, alpha = (200, 40, 0), 128
    expected = [round(c * alpha / 255 + 255 * (1 - alpha / 255)) for c in colour]
    Image.new("RGBA", (4, 4), (*colour, alpha)).save(tmp_path / "rgba.png")
    Image.new("RGBA", (4, 4), (*colour, alpha)).save(tmp_path / "rgba.webp", lossless=True)
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([*colour, 0, 0, 0])
    palette.save(tmp_path / "p.png", transparency=bytes([alpha, 255]))
    for path in sorted(tmp_path.iterdir()):
        assert np.abs(load_photograph(path).pixels.astype(int) - expected).max() <= 1, path.name


def test_fully_transparent_colour_key_is_white(tmp_path: Path):
    Image.new("RGB", (4, 4), (10, 20, 30)).save(tmp_path / "key.png", transparency=(10, 20, 30))
    grey_alpha = Image.merge("LA", [Image.new("L", (4, 4), 9), Image.new("L", (4, 4), 0)])
    grey_alpha.save(tmp_path / "la.png")
    for path in tmp_path.iterdir():
        assert (load_photograph(path).pixels == 255).all(), path.name


def test_palette_without_transparency(tmp_path: Path):
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 12, 34, 56])
    image.save(tmp_path / "x.bmp")
    assert (load_photograph(tmp_path / "x.bmp").pixels == (12, 34, 56)).all()


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_without_profile(suffix: str, tmp_path: Path):
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / f"x.{suffix}")
    assert np.abs(load_photograph(tmp_path / f"x.{suffix}").pixels.astype(int) - (255, 0, 0)).max() <= 3


def profile_with_red_and_blue_swapped() -> bytes:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return srgb.replace(b"rXYZ", b"xXYZ").replace(b"bXYZ", b"rXYZ").replace(b"xXYZ", b"bXYZ")


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colour_profile_is_applied(mode: str, tmp_path: Path):
    colour = (255, 30, 0) if mode == "RGB" else (255, 30, 0, 255)
    Image.new(mode, (4, 4), colour).save(tmp_path / "x.png", icc_profile=profile_with_red_and_blue_swapped())
    assert np.abs(load_photograph(tmp_path / "x.png").pixels.astype(int) - (0, 30, 255)).max() <= 2


def test_junk_colour_profile_counts_as_srgb(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    Image.new("RGB", (4, 4), (255, 30, 0)).save(tmp_path / "x.png", icc_profile=b"junk")
    assert (load_photograph(tmp_path / "x.png").pixels == (255, 30, 0)).all()
    assert "profile" in caplog.text


def test_floating_point_is_refused(tmp_path: Path):
    Image.new("F", (4, 4)).save(tmp_path / "x.tif")
    with pytest.raises(FormatError, match="floating-point"):
        load_photograph(tmp_path / "x.tif")


def test_cielab_becomes_srgb(tmp_path: Path):
    Image.new("LAB", (4, 4), (255, 128, 128)).save(tmp_path / "x.tif")
    assert (load_photograph(tmp_path / "x.tif").pixels >= 253).all()


def test_integers_beyond_16_bits_are_refused(tmp_path: Path):
    Image.fromarray(np.full((4, 4), 70_000, dtype=np.int32)).save(tmp_path / "x.tif")
    with pytest.raises(FormatError, match="70000"):
        load_photograph(tmp_path / "x.tif")


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)])
def test_thin_pictures(size: tuple[int, int], tmp_path: Path):
    Image.new("RGB", size, (1, 2, 3)).save(tmp_path / "x.png")
    photograph = load_photograph(tmp_path / "x.png", limits=Limits(max_long_side=1000))
    assert photograph.original_size == size
    assert photograph.size == tuple(min(side, 1000) for side in size)
    assert (photograph.pixels == (1, 2, 3)).all()


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("size", [(801, 603), (603, 801), (3203, 1999)])
def test_reduction_keeps_every_thing_in_its_place(suffix: str, size: tuple[int, int], tmp_path: Path):
    """A ramp stays the same ramp of the relative position, also where JPEG decodes at an eighth."""
    width, height = size
    x, y = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    ramp = np.stack(np.broadcast_arrays(x[None], y[:, None], 0.5), axis=-1)
    Image.fromarray(np.round(ramp * 255).astype(np.uint8)).save(tmp_path / f"x.{suffix}", quality=95)
    photograph = load_photograph(tmp_path / f"x.{suffix}", limits=Limits(max_long_side=200))
    w, h = photograph.size
    assert max(w, h) == 200
    assert photograph.original_size == size
    expected = np.stack(np.broadcast_arrays((np.arange(w) + 0.5)[None] / w, (np.arange(h) + 0.5)[:, None] / h), -1)
    inner = (photograph.pixels[..., :2] / 255 - expected)[2:-2, 2:-2]
    assert np.abs(inner).max() < 3 / 255
    assert np.abs(inner.mean(axis=(0, 1))).max() < 0.3 / 255


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    ihdr = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + ihdr + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [30_000, 12_000])
def test_huge_declared_picture_is_refused(side: int, tmp_path: Path):
    (tmp_path / "bomb.png").write_bytes(png_header(side, side))
    with pytest.raises(LimitError, match=r"bomb\.png"):
        load_photograph(tmp_path / "bomb.png")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_too_many_pixels_are_refused_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "bomb.png").write_bytes(png_header(12_000, 12_000))
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("decoded"))
    with pytest.raises(LimitError, match="12000 x 12000"):
        load_photograph(tmp_path / "bomb.png")


def test_too_many_bytes_are_refused(tmp_path: Path):
    (tmp_path / "x.png").write_bytes(b"\0" * 1001)
    with pytest.raises(LimitError, match="1,001 bytes"):
        load_photograph(tmp_path / "x.png", limits=Limits(max_file_bytes=1000))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "bmp"])
def test_truncated_file_is_named(suffix: str, tmp_path: Path, picture: Picture):
    path = tmp_path / f"cut.{suffix}"
    Image.fromarray(picture(200, 100)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(FormatError, match=f"cut.{suffix}"):
        load_photograph(path)


@pytest.mark.parametrize("content", [b"", b"these are words\n", b"GIF89a" + b"\0" * 40, b"\xff\xd8\xff"])
def test_other_files_named_as_images(content: bytes, tmp_path: Path):
    (tmp_path / "x.jpg").write_bytes(content)
    with pytest.raises(FormatError, match=r"x\.jpg"):
        load_photograph(tmp_path / "x.jpg")


def test_formats_outside_the_list_are_refused(tmp_path: Path, picture: Picture):
    Image.fromarray(picture(9, 9)).save(tmp_path / "x.png", format="GIF")
    with pytest.raises(FormatError):
        load_photograph(tmp_path / "x.png")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore")
@given(kind=st.sampled_from(["JPEG", "PNG", "TIFF", "WEBP"]), data=st.data())
def test_damaged_files_raise_only_typed_errors(kind: str, data: st.DataObject, tmp_path: Path, picture: Picture):
    buffer = io.BytesIO()
    Image.fromarray(picture(24, 16)).save(buffer, format=kind, exif=exif_of(ExifTags.Base.Make, "maker"))
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "x.jpg"
    path.write_bytes(content)
    try:
        photograph = load_photograph(path)
    except ReconError:
        return
    assert photograph.pixels.dtype == np.uint8
    assert max(photograph.size) <= 2048


def test_missing_files_and_folders(tmp_path: Path):
    with pytest.raises(InputError, match="no such file"):
        load_photograph(tmp_path / "nothing.jpg")
    with pytest.raises(InputError, match="not a file"):
        load_photograph(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        load_photographs(tmp_path / "nothing")
    with pytest.raises(InputError, match="no such file"):
        load_photograph(tmp_path / "a\0b.jpg")
    with pytest.raises(InputError, match="cannot be opened"):
        load_photograph(tmp_path / f"{'a' * 300}.jpg")


def test_heic_without_its_reader_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (tmp_path / "x.heic").write_bytes(b"\0" * 100)
    with pytest.raises(ResourceError, match="pillow-heif"):
        load_photograph(tmp_path / "x.heic")


def test_heic(tmp_path: Path, picture: Picture):
    pillow_heif = pytest.importorskip("pillow_heif", reason="the optional HEIC reader is not installed")
    pillow_heif.register_heif_opener()
    stored = Image.fromarray(np.ascontiguousarray(STORED[6](picture(64, 48))))
    # From here the writer makes the rotation property of HEIF, which counts alone; the EXIF tag says nothing.
    stored.info["exif"] = exif_of(ExifTags.Base.Orientation, 6).tobytes()
    stored.save(tmp_path / "x.heic", quality=95)
    photograph = load_photograph(tmp_path / "x.heic")
    assert photograph.original_size == (64, 48)
    assert np.abs(photograph.pixels.astype(int) - picture(64, 48)).mean() < 4
