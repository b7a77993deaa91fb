"""The shell scripts: when they install, and when they leave the environment alone."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYTHON_STAND_IN = '#!/bin/sh\necho "$*" >>"$(dirname "$0")/calls"\ncase "$*" in *"$REFUSE"*) exit 1 ;; esac\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose virtual environment holds an interpreter that only notes how it was called."""
    for name in ("pyproject.toml", "constraints.txt", "scripts/_env"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "python").write_text(PYTHON_STAND_IN)
    (folder / "python").chmod(0o755)
    (folder / "pip").write_text(f"#!{folder / 'python'}3\n")
    return tmp_path


def source(checkout: Path, *, refuse: str = "nothing") -> tuple[int, list[str], str]:
    """Exit code, the calls of pip that it made, and what it said."""
    calls = checkout / ".venv" / "bin" / "calls"
    calls.unlink(missing_ok=True)
    done = subprocess.run(
        ["bash", "-c", f'. "{checkout}/scripts/_env"; echo "$python"'],
        cwd="/", env=os.environ | {"REFUSE": refuse}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = calls.read_text().splitlines() if calls.exists() else []
    return done.returncode, [line for line in lines if line.startswith("-m pip")], done.stdout + done.stderr


def test_installs_torch_first_and_only_once(checkout: Path) -> None:
    code, calls, _ = source(checkout)
    assert code == 0
    assert [("torch" in call, "-e" in call, "constraints.txt" in call) for call in calls] == [
        (True, False, True),
        (False, True, True),
    ]
    assert source(checkout) == (0, [], f"{checkout}/.venv/bin/python\n")


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_installs_again_when_the_requirements_change(checkout: Path, name: str) -> None:
    source(checkout)
    with (checkout / name).open("a") as file:
        file.write("\n# changed\n")
    assert len(source(checkout)[1]) == 2
    assert source(checkout)[1] == []


def test_failed_installation_fails_and_is_taken_up_again(checkout: Path) -> None:
    code, calls, said = source(checkout, refuse="-e .")
    assert (code, len(calls)) == (1, 2)
    assert "Run the script again" in said
    assert len(source(checkout)[1]) == 2


def test_scripts_can_be_run() -> None:
    scripts = [path for path in (ROOT / "scripts").iterdir() if path.is_file() and not path.name.startswith("_")]
    assert {"quickstart", "test", "stress", "benchmark", "check_parity"} <= {path.name for path in scripts}
    for path in [*scripts, ROOT / ".ci" / "run"]:
        assert os.access(path, os.X_OK), path
        assert path.read_text().startswith("#!"), path
        assert len(path.read_text().splitlines()) < 100, path
