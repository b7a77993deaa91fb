from pathlib import Path

import pytest

from tests.app.web.fake_workers import write_workers


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes modules `NAME_worker` that a worker process can run."""
    folder = tmp_path / "workers"
    folder.mkdir()
    write_workers(folder)
    monkeypatch.syspath_prepend(folder)
