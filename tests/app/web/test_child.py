"""Processes that are asked something answer, are ended in time, and do not outlive who wants the answer."""

import subprocess
import threading
import time
from pathlib import Path

import psutil
import pytest

from app.web.child import Children, ask
from app.web.engine import Engine
from recon.errors import ReconError, ResourceError

ECHO = "import sys\nsys.stdout.write(sys.stdin.read())\n"
SLEEP = "import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
SLEEP += "open({seen!r}, 'w').write(str(__import__('os').getpid()))\ntime.sleep(60)\n"


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Holds the number of `sleeping_child` once it runs."""
    (tmp_path / "echo_child.py").write_text(ECHO)
    (tmp_path / "sleeping_child.py").write_text(SLEEP.format(seen=str(tmp_path / "seen")))
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "seen"


def wait_for(path: Path) -> psutil.Process:
    deadline = time.monotonic() + 30
    while not (path.is_file() and path.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return psutil.Process(int(path.read_text()))


def assert_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, 5)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


def test_a_child_answers_what_it_is_asked(seen: Path):
    done = ask("echo_child", {"a": [1, "ü"]}, 30)
    assert (done.returncode, done.stdout) == (0, '{"a": [1, "\\u00fc"]}')


def test_one_that_takes_too_long_is_ended_with_all_that_it_started(seen: Path):
    family: list[psutil.Process] = []

    def note() -> None:
        process = wait_for(seen)
        family.extend([process, *process.children()])

    noting = threading.Thread(target=note)
    noting.start()
    with pytest.raises(subprocess.TimeoutExpired):
        ask("sleeping_child", {}, 3)
    noting.join()
    assert len(family) == 2
    assert_gone(family)


def test_after_the_end_none_is_left_and_none_is_begun(seen: Path):
    children = Children()
    children.close()
    start = time.monotonic()
    with pytest.raises(ResourceError, match="the server ends"):
        ask("sleeping_child", {}, 30, children)
    assert time.monotonic() - start < 10


def test_closing_the_engine_ends_a_filter_that_runs(seen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("app.web.results.refiltering.MODULE", "sleeping_child")
    errors: list[ReconError] = []
    engine = Engine(root=tmp_path / "jobs")
    monkeypatch.setattr(engine, "folder", lambda id: tmp_path / id)

    def refilter() -> None:
        try:
            engine.refilter("job", 0.5)
        except ReconError as error:
            errors.append(error)

    filtering = threading.Thread(target=refilter)
    filtering.start()
    process = wait_for(seen)
    family = [process, *process.children()]
    engine.close()
    filtering.join(5)
    assert not filtering.is_alive()
    assert_gone(family)
    assert [error.message for error in errors] == ["the server ends"]
