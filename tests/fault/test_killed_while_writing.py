"""SIGKILL at random moments while results are written: what is visible is whole, and the next run cleans up."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

WRITER = Path(__file__).parent / "killed_writer.py"


def kill_writers(folder: Path, mode: str, kills: int, seed: int) -> dict:
    command = [sys.executable, str(WRITER), str(folder), mode, str(kills), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def judge(found: dict) -> None:
    assert found["faults"] == []
    assert found["while writing"] > found["kills"] / 5, "too few kills hit a writer at work to show anything"


@pytest.mark.parametrize("mode", ["fresh", "overwrite"])
def test_a_killed_writer_leaves_nothing_torn(mode: str, tmp_path: Path) -> None:
    judge(kill_writers(tmp_path, mode, 10, seed=0))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["fresh", "overwrite"])
def test_a_hundred_killed_writers_leave_nothing_torn(mode: str, tmp_path: Path) -> None:
    judge(kill_writers(tmp_path, mode, 100, seed=1))
