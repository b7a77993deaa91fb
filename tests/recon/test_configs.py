from pathlib import Path

import pytest

from recon.configs import config_names, config_root, find_config
from recon.errors import InputError


def test_every_preset_is_found_by_name_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "experiment/rooms_nano" in config_names()
    for name in config_names():
        assert find_config(name) == find_config(f"{name}.yaml") == config_root() / f"{name}.yaml"


def test_a_file_comes_before_a_preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "experiment" / "rooms_nano"
    mine.parent.mkdir()
    mine.touch()
    monkeypatch.chdir(tmp_path)
    assert find_config("experiment/rooms_nano") == find_config(mine) == mine


@pytest.mark.parametrize("name", ["experiment/nothing", "experiment", "../pyproject.toml", "", "/nowhere/x.yaml"])
def test_unknown_name_lists_the_presets(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        find_config(name)
    assert repr(name) in caught.value.message
    assert "experiment/rooms_nano" in caught.value.hint


def test_an_installation_without_presets_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recon.configs.PACKAGE", tmp_path / "recon")
    with pytest.raises(InputError, match="no presets"):
        config_root()
