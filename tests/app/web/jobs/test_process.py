import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from app.web.jobs.events import Cancelled, Done, Failed, Made, Progress
from app.web.jobs.process import WorkerProcess

pytestmark = pytest.mark.usefixtures("workers")


def start(folder: Path, name: str, seconds: float = 30.0) -> tuple[WorkerProcess, list, list]:
    """A worker in a thread; its events, and in the second list, once it is over, the last one."""
    folder.mkdir()
    process, events, last = WorkerProcess(folder, seconds, module=f"{name}_worker"), [], []
    threading.Thread(target=lambda: last.append(process.run(events.append)), daemon=True).start()
    return process, events, last


def until(condition, seconds: float = 10.0) -> float:
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, "it took too long"
        time.sleep(0.005)
    return time.monotonic() - begin


def run(folder: Path, name: str, seconds: float = 30.0):
    process, events, last = start(folder, name, seconds)
    until(lambda: last)
    assert process.pid is not None
    assert not psutil.pid_exists(process.pid)
    return events, last[0]


def test_events_come_through_and_the_last_is_returned(tmp_path):
    events, last = run(tmp_path / "job", "quick")
    assert events == [Progress("load", "begun"), Made("poses", ("preview/points.ply",), {"placed": 2})]
    assert last == Done(("result/scene.json",), 0.1)


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("dies", "ResourceError", "most likely because memory ran out"),
        ("aborts", "InternalError", "broke down"),
        ("silent", "InternalError", "exit code 3"),
        ("babbles", "InternalError", "no event"),
        ("floods", "InternalError", "no event"),
        ("fails", "PoseError", "no pose"),
    ],
)
def test_every_end_is_told(tmp_path, name, kind, words):
    _, last = run(tmp_path / "job", name)
    assert isinstance(last, Failed)
    assert last.kind == kind
    assert words in last.message


def test_cancelling_ends_the_worker_and_its_children_at_once(tmp_path):
    process, events, last = start(tmp_path / "job", "endless")
    until(lambda: Progress("load", "endless") in events)
    pids = [int(pid) for pid in (tmp_path / "job" / "pids").read_text().split()]
    assert all(psutil.pid_exists(pid) for pid in pids)
    begin = time.monotonic()
    process.cancel()
    until(lambda: last, 2.0)
    assert not any(_runs(pid) for pid in pids)  # whoever hears of the end can rely on it
    assert time.monotonic() - begin < 2.0
    assert last == [Cancelled()]
    process.cancel()  # again does no harm


def test_a_worker_that_was_cancelled_before_is_never_started(tmp_path):
    (tmp_path / "job").mkdir()
    process = WorkerProcess(tmp_path / "job", 10.0, module="quick_worker")
    process.cancel()
    assert process.run(lambda event: None) == Cancelled()
    assert process.pid is None


def test_a_worker_that_takes_too_long_is_ended(tmp_path):
    begin = time.monotonic()
    _, last = run(tmp_path / "job", "endless", seconds=1.0)
    assert time.monotonic() - begin < 3.0
    assert isinstance(last, Failed)
    assert (last.kind, last.message) == ("LimitError", "the job took longer than 1 s, more is not allowed")


def test_a_worker_that_does_not_end_after_its_last_event_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("app.web.jobs.process.SECONDS_TO_END", 0.3)
    _, last = run(tmp_path / "job", "lingers")
    assert last == Done((), 0.1)


def test_temporary_files_of_the_worker_lie_in_its_folder(tmp_path):
    run(tmp_path / "job", "quick")
    assert (tmp_path / "job" / "tmp" / "left.bin").is_file()


def test_what_it_prints_as_errors_is_in_its_log(tmp_path):
    run(tmp_path / "job", "prints")
    assert (tmp_path / "job" / "worker.log").read_text() == "noise"


def test_the_real_worker_ends_with_the_server(tmp_path):
    """The server is killed: the pipe to the worker's standard input closes, and the worker and its group end."""
    code = "import time; from app.web.jobs.worker import end_with_the_server as f; f(); print('up', flush=True); "
    code += "time.sleep(60)"
    worker = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        cwd=Path(__file__).parents[4],
    )  # fmt: skip
    assert worker.stdout is not None
    assert worker.stdin is not None
    assert worker.stdout.readline() == b"up\n"
    worker.stdin.close()
    assert worker.wait(5) == -9
    worker.stdout.close()


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_worker_goes_first_where_memory_runs_out():
    if sys.platform != "linux":
        pytest.skip("the system has no such setting")
    code = "from app.web.child import be_the_first_to_go as f; f(); print(open('/proc/self/oom_score_adj').read())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[4], env=os.environ
    )
    assert done.stdout.strip() == "1000"
