from pathlib import Path

import pytest

from recon.data.room_scenes import RoomScenes
from recon.data.rooms import __main__ as command
from recon.data.rooms.library import RECIPES
from recon.errors import ResourceError


def test_the_command_makes_both_splits(tmp_path: Path, monkeypatch, small_library):
    monkeypatch.setattr("recon.data.rooms.generate.open_library", lambda folder: small_library)
    options = ["--no_furniture", "--scenes", "1", "--val", "1", "--processes", "1", "--views", "5", "--size", "32"]
    assert command.main(["--out", str(tmp_path / "rooms"), *options]) == 0
    for split in ("train", "val"):
        assert RoomScenes(tmp_path / "rooms", split)[0].images.shape == (5, 3, 32, 32)


def test_a_package_that_cannot_be_unpacked_is_named(tmp_path: Path):
    (tmp_path / "broken.deb").write_bytes(b"no archive")
    with pytest.raises(ResourceError, match="dpkg-deb"):
        command.prepare_furniture(tmp_path / "furniture", tmp_path / "broken.deb")


def test_furniture_that_is_there_is_not_fetched_again(tmp_path: Path):
    (tmp_path / "catalogue.json").write_text("[]")
    command.prepare_furniture(tmp_path, tmp_path / "missing.deb")
    assert [p.name for p in tmp_path.iterdir()] == ["catalogue.json"]


def test_every_kind_of_texture_has_a_size_in_metres():
    assert all(0 < low <= high < 10 for _, _, (low, high) in RECIPES.values())
