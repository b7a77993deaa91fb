"""Batches as Lightning is given them."""

from dataclasses import replace
from pathlib import Path

import pytest

from models.training import train
from recon.errors import InputError
from tests.models.walls import small_run

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_in_a_loader_is_told_as_anywhere(workers: int, walls: Path, tmp_path: Path) -> None:
    """Where all captures of a data set turn out to be damaged; whichever process meets them."""
    config = small_run(walls, tmp_path / "out")
    rooms = tmp_path / "rooms"
    for split in ("train", "val"):
        (rooms / split).mkdir(parents=True)
        for number in range(3):
            (rooms / split / f"{number:06d}.safetensors").write_bytes(b"torn")
    config = replace(config, data=replace(config.data, folder=str(rooms), workers=workers))
    with pytest.raises(InputError, match="3 captures in a row cannot be used: 3 x damaged file") as caught:
        train(config)
    assert "Traceback" not in caught.value.message
    assert "docs/formats.md" in caught.value.hint
