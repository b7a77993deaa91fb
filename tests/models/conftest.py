import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def walls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of rooms in which a camera slides along a wall."""
    from walls import write_walls

    return write_walls(tmp_path_factory.mktemp("walls"))
