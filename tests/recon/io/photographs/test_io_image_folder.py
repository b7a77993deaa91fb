from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from recon.errors import FormatError, InputError, LimitError
from recon.io.limits import Limits
from recon.io.names import natural_key, safe_stem, unique_names
from recon.io.photographs.image_folder import spread
from recon.io.photographs.images import load_photographs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("img10.png", "img2.JPG", "img1.webp", "IMG3.bmp", ".hidden.png", "notes.txt"):
        if name.endswith("txt"):
            (tmp_path / name).write_text("words")
        else:
            Image.new("RGB", (8, 6)).save(tmp_path / name)
    return tmp_path


def test_folder_is_read_in_natural_order(folder: Path):
    assert [p.name for p in load_photographs(folder)] == ["img1.webp", "img2.JPG", "IMG3.bmp", "img10.png"]


def test_files_keep_the_given_order(folder: Path):
    paths = [folder / "img10.png", folder / "img2.JPG"]
    assert [p.name for p in load_photographs(paths)] == ["img10.png", "img2.JPG"]
    assert [p.name for p in load_photographs(folder / "img2.JPG")] == ["img2.JPG"]


def test_max_views_spreads_over_the_folder(folder: Path):
    assert [p.name for p in load_photographs(folder, max_views=2)] == ["img1.webp", "img10.png"]
    with pytest.raises(InputError, match="at least 1"):
        load_photographs(folder, max_views=0)


def test_too_many_photographs(folder: Path):
    with pytest.raises(LimitError, match="4 photographs, at most 3"):
        load_photographs(folder, limits=Limits(max_photographs=3))
    assert len(load_photographs(folder, limits=Limits(max_photographs=3), max_views=3)) == 3


def test_no_photograph_gives_a_hint(tmp_path: Path):
    with pytest.raises(InputError, match="no image among 0 entries"):
        load_photographs(tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(InputError, match=r"did you mean .*images\?"):
        load_photographs(tmp_path)
    with pytest.raises(InputError, match="no photographs"):
        load_photographs([])


def test_one_bad_file_is_named(folder: Path):
    (folder / "bad.jpg").write_text("words")
    with pytest.raises(FormatError, match=r"bad\.jpg"):
        load_photographs(folder)


def test_same_name_in_two_folders_stays_apart(tmp_path: Path, picture: Callable[[int, int], np.ndarray]):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.fromarray(picture(8, 6)).save(tmp_path / name / "x.png")
    assert [p.name for p in load_photographs([tmp_path / "a/x.png", tmp_path / "b/x.png"])] == ["x.png", "x-2.png"]


@given(st.lists(st.sampled_from(["x.png", "X.png", "x-2.png", "x", ".x", "x.jpg", "x-3.png", "x-2"]), max_size=12))
def test_unique_names_are_unique_whatever_the_case(names: list[str]):
    result = unique_names(names)
    assert len({name.casefold() for name in result}) == len(names)
    first = {name.casefold(): name for name in reversed(names)}
    assert set(first.values()) <= set(result)  # whoever came first keeps the name


@given(st.text(max_size=300))
def test_safe_stem_is_harmless(name: str):
    stem = safe_stem(name)
    assert 0 < len(stem) <= 81
    assert not set(stem) & set('/\\:*?"<>|\0\n')
    assert stem not in (".", "..")
    assert not stem.startswith(".")


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        *(("../../etc/passwd", "passwd"), ("..\\..\\x.png", "x"), ("C:x.png", "C_x"), ("con.png", "con_")),
        *(("..", "view"), ("", "view"), ("Straße 7.jpg", "Straße_7"), ("a.b.jpg", "a.b"), ("写真.jpg", "写真")),
    ],
)
def test_safe_stem_of_known_names(name: str, stem: str):
    assert safe_stem(name) == stem


@given(st.integers(1, 200), st.integers(1, 50))
def test_spread_is_ascending_without_repetition(num: int, max_views: int):
    chosen = spread(num, max_views)
    assert len(chosen) == min(num, max_views)
    assert chosen == sorted(set(chosen))
    assert chosen[0] == 0
    assert max_views == 1 or chosen[-1] == num - 1


@given(st.lists(st.text(st.sampled_from("aB1290²"), max_size=6)))
def test_natural_order_is_total(names: list[str]):
    assert sorted(sorted(names), key=natural_key) == sorted(sorted(names, reverse=True), key=natural_key)
