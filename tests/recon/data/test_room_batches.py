from pathlib import Path

import pytest

from recon.data.room_batches import RoomBatches, RoomDataConfig
from recon.errors import InputError


def test_a_split_without_scenes_says_how_to_make_them(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    with pytest.raises(InputError, match="holds no scene") as caught:
        RoomBatches(RoomDataConfig(folder=str(tmp_path)), 1)
    assert "scripts/prepare_rooms" in caught.value.hint


@pytest.mark.parametrize("num_context", [(), (1, 2)])
def test_fewer_than_two_context_views_are_refused(num_context: tuple[int, ...], tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "000000.safetensors").touch()
    with pytest.raises(InputError, match="num_context"):
        RoomBatches(RoomDataConfig(folder=str(tmp_path), num_context=num_context), 1)
