from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.web.limits import WebLimits
from app.web.uploads.checking import check_uploads
from app.web.uploads.checks import warnings_about
from app.web.uploads.intake import look_at
from recon.errors import FormatError, LimitError
from recon.io.photographs.images import load_photographs
from recon.types import Photograph
from tests.app.web.uploads.uploaded_files import encoded, put

SAMPLE = Path(__file__).parents[4] / "datasets" / "sample"


@pytest.fixture(scope="module")
def sample() -> list[Photograph]:
    return load_photographs(SAMPLE)


def kinds(photographs: list[Photograph]) -> dict[str, tuple[str, ...]]:
    return {warning.kind: warning.names for warning in warnings_about(photographs)}


def changed(photograph: Photograph, pixels: np.ndarray) -> Photograph:
    return replace(photograph, pixels=np.ascontiguousarray(pixels.astype(np.uint8)))


def test_good_photographs_give_no_warning(sample):
    assert kinds(sample) == {}


def test_few_photographs(sample):
    assert kinds(sample[:5]) == {"few": ()}


def test_a_blurred_photograph_is_named(sample):
    blurred = changed(sample[4], cv2.GaussianBlur(sample[4].pixels, (0, 0), 6))
    assert kinds([*sample[:4], blurred, *sample[5:]])["blurry"] == (sample[4].name,)


def test_a_dark_photograph_is_named(sample):
    dark = changed(sample[2], sample[2].pixels // 8)
    assert kinds([*sample[:2], dark, *sample[3:]])["dark"] == (sample[2].name,)


def test_a_thing_before_a_black_background_is_not_dark(sample):
    masked = []
    for photograph in sample:
        pixels = photograph.pixels.copy()
        pixels[: pixels.shape[0] // 2] = 0
        masked.append(changed(photograph, pixels))
    assert "dark" not in kinds(masked)


def test_a_photograph_taken_twice_is_named(sample):
    again = replace(changed(sample[0], np.clip(sample[0].pixels.astype(int) + 1, 0, 255)), name="again.jpg")
    assert kinds([sample[0], again, *sample[1:]]) == {"alike": ("again.jpg",)}


def test_a_photograph_of_another_place_is_named(sample):
    rng = np.random.default_rng(0)
    other = cv2.resize(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8), sample[0].size, interpolation=cv2.INTER_CUBIC)
    stranger = replace(changed(sample[0], other), name="stranger.jpg")
    assert kinds([*sample, stranger])["apart"] == ("stranger.jpg",)


def test_no_texture_at_all_is_no_crash(sample):
    blank = [replace(changed(photograph, photograph.pixels * 0 + 128), name=photograph.name) for photograph in sample]
    assert {"apart", "blurry", "alike"} <= set(kinds(blank))


def test_other_sizes_are_told_and_a_turned_camera_is_not(sample):
    turned = replace(sample[1], original_size=sample[1].original_size[::-1])
    assert "sizes" not in kinds([sample[0], turned, *sample[2:]])
    cropped = replace(sample[1], original_size=(100, 100))
    assert "sizes" in kinds([sample[0], cropped, *sample[2:]])


def test_uploads_are_looked_at_in_a_process_of_their_own(tmp_path):
    uploads = put(tmp_path, a_jpg=encoded("JPEG"), b_png=encoded("PNG"), c_jpg=encoded("JPEG")[:-300])
    found = check_uploads(look_at(uploads, WebLimits()), WebLimits())
    assert [warning.kind for warning in found][:2] == ["broken", "few"]
    assert found[0].names == ("c.jpg",)
    assert found[0].words == "One photograph is damaged (c.jpg): save it again, or leave it out."


def test_a_decoder_that_breaks_or_hangs_takes_nothing_with_it(tmp_path, monkeypatch):
    intake = look_at(put(tmp_path, a_jpg=encoded("JPEG"), b_jpg=encoded("JPEG")), WebLimits())
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("app.web.uploads.checking.MODULE", "decoder")
    (tmp_path / "decoder.py").write_text("import os; os.abort()")
    with pytest.raises(FormatError, match="broke the decoder"):
        check_uploads(intake, WebLimits())
    (tmp_path / "decoder.py").write_text("import time; time.sleep(60)")
    with pytest.raises(LimitError, match=r"longer than 0\.5 s"):
        check_uploads(intake, WebLimits(max_check_seconds=0.5))
