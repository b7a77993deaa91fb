import math
from pathlib import Path

import pytest
from PIL import ExifTags, Image, TiffImagePlugin

from recon.io.limits import Limits
from recon.io.photographs.images import load_photograph
from recon.types import Photograph

Tag = ExifTags.Base
RATIONAL = TiffImagePlugin.IFDRational


def shoot(folder: Path, size: tuple[int, int], tags: dict[int, object], **limits: int) -> Photograph:
    exif = Image.Exif()
    own = {key: value for key, value in tags.items() if key in (Tag.Make, Tag.Model, Tag.Orientation)}
    exif.update(own)
    exif.get_ifd(ExifTags.IFD.Exif).update({key: value for key, value in tags.items() if key not in own})
    Image.new("RGB", size).save(folder / "x.jpg", exif=exif)
    return load_photograph(folder / "x.jpg", limits=Limits(**limits))


def test_35mm_focal_length_compares_diagonals(tmp_path: Path):
    """On a 3:2 picture, 36 mm is the width; on 4:3, the diagonal decides."""
    assert shoot(tmp_path, (300, 200), {Tag.FocalLengthIn35mmFilm: 36}).focal_px == pytest.approx(300)
    wide = shoot(tmp_path, (400, 300), {Tag.FocalLengthIn35mmFilm: 26}).focal_px
    assert wide == pytest.approx(26 * 500 / math.hypot(36, 24))


def test_focal_length_follows_the_reduction(tmp_path: Path):
    photograph = shoot(tmp_path, (300, 200), {Tag.FocalLengthIn35mmFilm: 36}, max_long_side=150)
    assert photograph.size == (150, 100)
    assert photograph.focal_px == pytest.approx(150)


@pytest.mark.parametrize(("unit", "millimetres"), [(2, 25.4), (3, 10.0), (4, 1.0), (None, 25.4)])
def test_focal_length_from_sensor_resolution(unit: int | None, millimetres: float, tmp_path: Path):
    """A sensor 20 mm wide with 400 pixels and a lens of 30 mm: 600 px."""
    tags = {Tag.FocalLength: RATIONAL(30), Tag.FocalPlaneXResolution: RATIONAL(round(20000 * millimetres), 1000)}
    tags |= {} if unit is None else {Tag.FocalPlaneResolutionUnit: unit}
    assert shoot(tmp_path, (400, 300), tags).focal_px == pytest.approx(600, rel=1e-3)


def test_sensor_resolution_belongs_to_the_size_at_capture(tmp_path: Path):
    tags = {Tag.FocalLength: RATIONAL(30), Tag.FocalPlaneXResolution: RATIONAL(20), Tag.FocalPlaneResolutionUnit: 4}
    tags |= {Tag.ExifImageWidth: 800, Tag.ExifImageHeight: 600}
    assert shoot(tmp_path, (400, 300), tags).focal_px == pytest.approx(300)


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {Tag.FocalLength: RATIONAL(30)},
        {Tag.FocalLengthIn35mmFilm: 0},
        {Tag.FocalLengthIn35mmFilm: 60000},
        {Tag.FocalLength: RATIONAL(1, 0), Tag.FocalPlaneXResolution: RATIONAL(0, 0)},
        {Tag.FocalLengthIn35mmFilm: "wide"},
    ],
)
def test_absent_or_junk_focal_length_is_none(tags: dict[int, object], tmp_path: Path):
    assert shoot(tmp_path, (300, 200), tags).focal_px is None


def test_camera_id_tells_cameras_lenses_and_sizes_apart(tmp_path: Path):
    tags = {Tag.Make: "Maker\0\0", Tag.Model: "One", Tag.FocalLength: RATIONAL(24)}
    first = shoot(tmp_path, (300, 200), tags).camera_id
    assert first == "Maker One 24mm 300x200"
    assert shoot(tmp_path, (300, 200), tags).camera_id == first
    variants = [
        shoot(tmp_path, (300, 200), tags | {Tag.Model: "Two"}),
        shoot(tmp_path, (300, 200), tags | {Tag.FocalLength: RATIONAL(50)}),
        shoot(tmp_path, (150, 100), tags),
        shoot(tmp_path, (300, 200), tags | {Tag.Orientation: 6}),
    ]
    assert len({first, *(v.camera_id for v in variants)}) == 5
    assert shoot(tmp_path, (300, 200), {}).camera_id == "300x200"
