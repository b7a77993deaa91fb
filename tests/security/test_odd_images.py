"""S7: odd but valid pictures come out upright and in the right colours: 0 wrong of every mode times orientation."""

import itertools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image

from recon.io.photographs.images import load_photograph

WIDTH, HEIGHT = 24, 16
# What a file stores for an upright picture, from the words of Exif 2.32, tag 0112; junk leaves it as it is.
STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    0: lambda u: u,
    1: lambda u: u,
    2: lambda u: u[:, ::-1],
    3: lambda u: u[::-1, ::-1],
    4: lambda u: u[::-1],
    5: lambda u: np.swapaxes(u, 0, 1),
    6: lambda u: np.rot90(u, 1),
    7: lambda u: np.swapaxes(u[::-1, ::-1], 0, 1),
    8: lambda u: np.rot90(u, -1),
    9: lambda u: u,
    65535: lambda u: u,
}


def picture() -> np.ndarray:
    """Four flat corners of different colours; no two orientations look alike."""
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    rgb[:8, :12], rgb[:8, 12:], rgb[8:, :12], rgb[8:, 12:] = (
        (230, 20, 10),
        (20, 220, 40),
        (30, 40, 240),
        (250, 240, 235),
    )
    return rgb


def grey(rgb: np.ndarray) -> np.ndarray:
    return np.round(rgb @ [0.299, 0.587, 0.114]).astype(np.uint8)


def as_grey(rgb: np.ndarray) -> np.ndarray:
    return np.repeat(grey(rgb)[..., None], 3, axis=2)


def half_white(rgb: np.ndarray) -> np.ndarray:
    return np.round(rgb * (128 / 255) + 255 * (127 / 255)).astype(np.uint8)


def same(rgb: np.ndarray) -> np.ndarray:
    return rgb


def with_alpha(colour: Image.Image, mode: str) -> Image.Image:
    colour.putalpha(Image.new("L", colour.size, 128))
    return colour.convert(mode)


def palette(rgb: np.ndarray) -> Image.Image:
    return Image.fromarray(rgb).quantize(16, dither=Image.Dither.NONE)


# Mode of the file: suffix, how it is made from stored pixels, what it should show, tolerance in levels.
Make = Callable[[np.ndarray], Image.Image]
MODES: dict[str, tuple[str, Make, Callable[[np.ndarray], np.ndarray], int]] = {
    "RGB png": ("png", Image.fromarray, same, 0),
    "RGB jpg": ("jpg", Image.fromarray, same, 6),
    "RGB tif": ("tif", Image.fromarray, same, 0),
    "RGB webp": ("webp", Image.fromarray, same, 0),
    "L png": ("png", lambda a: Image.fromarray(grey(a)), as_grey, 0),
    "L jpg": ("jpg", lambda a: Image.fromarray(grey(a)), as_grey, 6),
    "LA png": ("png", lambda a: with_alpha(Image.fromarray(grey(a)), "LA"), lambda a: half_white(as_grey(a)), 1),
    "P png": ("png", palette, same, 1),
    "P tif": ("tif", palette, same, 1),
    "RGBA png": ("png", lambda a: with_alpha(Image.fromarray(a), "RGBA"), half_white, 1),
    "RGBA webp": ("webp", lambda a: with_alpha(Image.fromarray(a), "RGBA"), half_white, 1),
    "RGBA tif": ("tif", lambda a: with_alpha(Image.fromarray(a), "RGBA"), half_white, 1),
    "I;16 png": ("png", lambda a: Image.fromarray(grey(a).astype(np.uint16) * 257), as_grey, 0),
    "I;16 tif": ("tif", lambda a: Image.fromarray(grey(a).astype(np.uint16) * 257), as_grey, 0),
    "CMYK jpg": ("jpg", lambda a: Image.fromarray(a).convert("CMYK"), same, 8),
    "CMYK tif": ("tif", lambda a: Image.fromarray(a).convert("CMYK"), same, 1),
}
CASES = list(itertools.product(MODES, STORED))


def wrong(path: Path, expected: np.ndarray, tolerance: int) -> str:
    photograph = load_photograph(path)
    if photograph.original_size != (expected.shape[1], expected.shape[0]):
        return f"{path.name}: size {photograph.original_size}"
    error = int(np.abs(photograph.pixels.astype(int) - expected).max())
    return f"{path.name}: off by {error}" if error > tolerance else ""


def test_every_mode_in_every_orientation(tmp_path: Path):
    bad = []
    for number, (mode, orientation) in enumerate(CASES):
        suffix, make, shown, tolerance = MODES[mode]
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        options = {"jpg": {"quality": 98, "subsampling": 0}, "webp": {"lossless": True, "exact": True}}.get(suffix, {})
        path = tmp_path / f"{number} {mode.replace(';', '')} {orientation}.{suffix}"
        make(np.ascontiguousarray(STORED[orientation](picture()))).save(path, exif=exif, **options)
        bad.append(wrong(path, shown(picture()), tolerance))
    assert len(bad) == 16 * 11
    assert [message for message in bad if message] == []


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_a_channel(suffix: str, channels: int, tmp_path: Path):
    stored = picture()[..., ::-1].astype(np.uint16) * 257
    if channels == 4:
        stored = np.concatenate([stored, np.full((HEIGHT, WIDTH, 1), 65535, np.uint16)], axis=2)
    path = tmp_path / f"x.{suffix}"
    assert cv2.imwrite(str(path), stored)
    assert wrong(path, picture(), 1) == ""


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (2, 3), (2047, 1), (2049, 2)])
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp", "bmp"])
def test_tiny_and_thin_pictures(suffix: str, size: tuple[int, int], tmp_path: Path):
    Image.new("RGB", size, (250, 250, 250)).save(tmp_path / f"x.{suffix}")
    photograph = load_photograph(tmp_path / f"x.{suffix}")
    assert photograph.original_size == size
    assert max(photograph.size) <= 2048
    assert np.abs(photograph.pixels.astype(int) - 250).max() <= 2


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_heic_in_every_turn(orientation: int, tmp_path: Path):
    pillow_heif = pytest.importorskip("pillow_heif", reason="the optional HEIC reader is not installed")
    pillow_heif.register_heif_opener()
    big = cv2.resize(picture(), (96, 64), interpolation=cv2.INTER_NEAREST)
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](big)))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored.info["exif"] = exif.tobytes()
    stored.save(tmp_path / "x.heic", quality=95)
    photograph = load_photograph(tmp_path / "x.heic")
    assert photograph.original_size == (96, 64)
    assert np.abs(photograph.pixels.astype(int) - big).mean() < 5
