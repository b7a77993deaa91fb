from pathlib import Path

import pytest

from tests.saved_scenes import save_two_balls


@pytest.fixture
def result_folder(tmp_path: Path) -> Path:
    return save_two_balls(tmp_path / "room")
