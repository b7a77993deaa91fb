import json

import numpy as np
import pytest

from recon.data.rooms.library import RECIPES, build_pyramid, linear_from_srgb, num_texels, open_library
from recon.data.rooms.noise import cells, hsv, value_noise
from recon.errors import FormatError


def test_noise_is_normal_and_repeats_at_the_borders():
    noise = value_noise(np.random.default_rng(1), 64, (4, 4), 3)
    assert noise.mean() == pytest.approx(0, abs=1e-4)
    assert noise.std() == pytest.approx(1, abs=1e-3)
    inner = np.abs(np.diff(noise, axis=1)).max()
    assert np.abs(noise[:, 0] - noise[:, -1]).max() <= 1.5 * inner


def test_cells_partition_the_texture_into_equal_parts():
    layout = cells(60, 3, 4, np.zeros(4, np.float32))
    assert np.bincount(layout.index.ravel()).tolist() == [20 * 15] * 12
    assert layout.edge.max() <= 60 / 4 / 2


def test_hsv_of_the_pure_hues():
    assert np.allclose(hsv(0.0, 1.0, 1.0), [1, 0, 0], atol=1e-6)
    assert np.allclose(hsv(1 / 3, 1.0, 1.0), [0, 1, 0], atol=1e-6)
    assert np.allclose(hsv(2 / 3, 1.0, 1.0), [0, 0, 1], atol=1e-6)


@pytest.mark.parametrize("kind", RECIPES)
def test_every_painter_gives_a_picture_with_content(kind: str):
    image = RECIPES[kind][0](np.random.default_rng(3), 64)
    assert image.shape == (64, 64, 3)
    assert np.isfinite(image).all()
    assert -0.5 < image.mean() < 1.5
    assert image.std() > 1e-3


def test_a_pyramid_keeps_the_mean_light_down_to_one_texel():
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    pyramid = build_pyramid(image)
    assert len(pyramid) == num_texels(16)
    mean = np.sqrt(np.square(image.astype(float)).mean((0, 1)))
    assert np.abs(pyramid[-1] - mean).max() <= 1


def test_srgb_decoding_at_known_points():
    levels = np.array([0.0, 0.04045, 0.5, 1.0], np.float32)
    assert linear_from_srgb(levels) == pytest.approx([0.0, 0.0031308, 0.2140411, 1.0], abs=1e-5)


def test_a_library_is_painted_once_and_refuses_another_version(tmp_path, monkeypatch):
    monkeypatch.setattr("recon.data.rooms.library.RECIPES", {"wood": RECIPES["wood"]})
    first = open_library(tmp_path, size=16)
    stamp = (tmp_path / "textures.npy").stat().st_mtime_ns
    again = open_library(tmp_path, size=16)
    assert np.array_equal(first.texels, again.texels)
    assert (tmp_path / "textures.npy").stat().st_mtime_ns == stamp
    index = json.loads((tmp_path / "textures.json").read_text())
    (tmp_path / "textures.json").write_text(json.dumps(index | {"version": 0}))
    with pytest.raises(FormatError, match="version 0"):
        open_library(tmp_path, size=16)
