from pathlib import Path

import pytest

from tests.models.walls import write_walls


@pytest.fixture(scope="session")
def walls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of rooms in which a camera slides along a wall."""
    return write_walls(tmp_path_factory.mktemp("walls"))
