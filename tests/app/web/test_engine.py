import re
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from app.web.engine import Engine
from app.web.jobs.events import Cancelled, Done, Failed, Made, Progress, Started, Waiting
from app.web.jobs.settings import JobSettings
from app.web.limits import WebLimits
from recon.errors import InputError, ResourceError
from tests.app.web.uploads.uploaded_files import encoded, put

pytestmark = pytest.mark.usefixtures("workers")


@pytest.fixture
def uploads(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "uploads"
    folder.mkdir()
    return put(folder, a_jpg=encoded("JPEG"), b_jpg=encoded("JPEG"), c_jpg=b"%PDF-1.7")


@pytest.fixture
def make(tmp_path: Path):
    engines = []

    def make(worker: str, **limits) -> Engine:
        engines.append(Engine(WebLimits(**limits), tmp_path / "jobs", worker=f"{worker}_worker"))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_job_from_upload_to_result(make, uploads):
    engine = make("quick")
    id = engine.submit(uploads)
    assert list(engine.events(id, timeout=10)) == [
        Waiting(1), Started(), Progress("load", "begun"), Made("poses", ("preview/points.ply",), {"placed": 2}),
        Done(("result/scene.json",), 0.1),
    ]  # fmt: skip
    status = engine.status(id)
    assert (status.state, status.position, status.num_files) == ("done", None, 2)
    assert "no kind of file" in status.refused["c.jpg"]
    assert entries(engine.folder(id)) == ["result"]  # uploads, log and temporary files are gone


def test_a_failed_job_leaves_no_files_and_tells_why(make, uploads):
    engine = make("fails")
    id = engine.submit(uploads)
    last = list(engine.events(id, timeout=10))[-1]
    assert last == Failed("PoseError", "no pose", "take more")
    assert (engine.status(id).state, engine.status(id).failure) == ("failed", last)
    assert entries(engine.folder(id)) == []


def test_cancelling_a_running_job_takes_less_than_two_seconds(make, uploads):
    engine = make("endless")
    id = engine.submit(uploads)
    for event in engine.events(id, timeout=10):
        if event == Progress("load", "endless"):
            break
    pids = [int(pid) for pid in (engine.folder(id) / "pids").read_text().split()]
    assert (engine.folder(id) / "tmp" / "big.bin").is_file()
    begin = time.monotonic()
    assert engine.cancel(id).state == "cancelled"
    assert entries(engine.folder(id)) == []
    while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids):
        assert time.monotonic() - begin < 2.0
        time.sleep(0.005)
    assert time.monotonic() - begin < 2.0
    assert list(engine.events(id))[-1] == Cancelled()
    assert engine.cancel(id).state == "cancelled"


def test_cancelling_a_waiting_job_never_starts_it(make, uploads):
    engine = make("waits")
    first, second, third = (engine.submit(uploads) for _ in range(3))
    assert engine.cancel(second).state == "cancelled"
    assert engine.status(third).position == 1
    (engine.folder(first).parent / "go").touch()
    assert list(engine.events(third, timeout=10))[-1] == Done((), 0.1)
    assert {type(event) for event in engine.events(second)} == {Waiting, Cancelled}


def test_a_finished_job_cannot_be_cancelled(make, uploads):
    engine = make("quick")
    id = engine.submit(uploads)
    list(engine.events(id, timeout=10))
    assert engine.cancel(id).state == "done"
    assert entries(engine.folder(id)) == ["result"]


@pytest.mark.parametrize("worker", ["dies", "aborts", "silent", "babbles"])
def test_a_crash_of_one_job_leaves_the_next_alone(make, uploads, worker, monkeypatch):
    engine = make(worker)
    bad = engine.submit(uploads)
    assert isinstance(list(engine.events(bad, timeout=10))[-1], Failed)
    monkeypatch.setattr(engine, "_worker", "quick_worker")
    good = engine.submit(uploads)
    assert isinstance(list(engine.events(good, timeout=10))[-1], Done)


def test_an_error_of_the_server_ends_the_job_and_its_files_go(make, uploads, monkeypatch):
    def break_down(process, tell):
        (process.folder / "left").touch()
        raise RuntimeError("unforeseen")

    monkeypatch.setattr("app.web.jobs.process.WorkerProcess.run", break_down)
    engine = make("quick")
    id = engine.submit(uploads)
    last = list(engine.events(id, timeout=10))[-1]
    assert isinstance(last, Failed)
    assert (last.kind, engine.status(id).state) == ("InternalError", "failed")
    assert "unforeseen" not in last.message
    assert entries(engine.folder(id)) == []
    assert engine._processes == {}


def test_a_full_queue_refuses_and_keeps_nothing(make, uploads):
    engine = make("waits", max_waiting=1)
    ids = [engine.submit(uploads)]
    while engine.status(ids[0]).state == "waiting":
        time.sleep(0.005)
    ids.append(engine.submit(uploads))
    folders = entries(engine.folder(ids[0]).parent)
    with pytest.raises(ResourceError, match="1 jobs run and 1 wait, at most 1 may wait"):
        engine.submit(uploads)
    assert entries(engine.folder(ids[0]).parent) == folders
    (engine.folder(ids[0]).parent / "go").touch()
    assert all(isinstance(list(engine.events(id, timeout=10))[-1], Done) for id in ids)


SMALL_MEMORY = """
import sys
from pathlib import Path
from recon.pipeline import planning
planning.free_memory_bytes = lambda: 20_000_000
from app.web.jobs.worker import main
sys.exit(main(Path(sys.argv[1])))
"""


def test_a_job_that_does_not_fit_into_memory_fails_with_numbers(make, uploads, tmp_path):
    """The real worker, on a machine that says it has 20 MB free."""
    (tmp_path / "workers" / "small_memory_worker.py").write_text(SMALL_MEMORY)
    engine = make("small_memory")
    id = engine.submit(uploads, JobSettings(quality="fast"))
    last = list(engine.events(id, timeout=100))[-1]
    assert isinstance(last, Failed)
    assert last.kind == "ResourceError"
    assert re.search(r"2 views of \d+x\d+ need about \d+\.\d GiB, 0\.0 GiB are free", last.message)
    assert last.hint == "use fewer photographs or a lower quality"  # and no option of a command
    assert engine.status(id).failure == last
    assert entries(engine.folder(id)) == []


def test_a_disk_without_room_is_told_with_numbers_before_anything_is_copied(make, uploads, monkeypatch):
    engine = make("quick")
    monkeypatch.setattr("shutil.disk_usage", lambda place: SimpleNamespace(total=10**10, used=10**10, free=200_000_000))
    with pytest.raises(ResourceError, match="needs about 268 MB on the server's disk, 200 MB are free"):
        engine.submit(uploads)
    assert entries(engine._store.root) == []


def test_what_is_refused_leaves_no_folder(make, uploads):
    engine = make("quick")
    root = engine._store.root
    for bad, settings in (
        (uploads[:1], JobSettings()),
        ([], JobSettings()),
        (uploads, JobSettings(quality="x")),
        (uploads, JobSettings(fps=2.0)),
        (uploads, JobSettings(poses="given")),
    ):
        with pytest.raises(InputError):
            engine.submit(bad, settings)
    assert entries(root) == []


def test_unknown_jobs_are_unknown_to_every_call(make):
    engine = make("quick")
    calls = [engine.events, engine.status, engine.cancel, engine.folder, engine.downloads, engine.archive,
             engine.command_line, lambda id: engine.refilter(id, 0.5)]  # fmt: skip
    for call in calls:
        for id in ("", "..", "/etc/passwd", "x" * 32):
            with pytest.raises(InputError, match="no such job"):
                call(id)


def test_closing_ends_running_and_waiting_jobs(tmp_path, uploads):
    engine = Engine(WebLimits(), tmp_path / "jobs", worker="endless_worker")
    ids = [engine.submit(uploads) for _ in range(3)]
    followers: list[list] = [[] for _ in ids]
    threads = [
        threading.Thread(target=lambda id=id, to=to: to.extend(engine.events(id, timeout=10)))
        for id, to in zip(ids, followers, strict=True)
    ]
    for thread in threads:
        thread.start()
    while not any(event == Progress("load", "endless") for event in followers[0]):
        time.sleep(0.01)
    begin = time.monotonic()
    engine.close()
    assert time.monotonic() - begin < 2.0
    for thread in threads:
        thread.join(5)
    assert [events[-1] for events in followers] == [Cancelled()] * 3
    assert entries(tmp_path / "jobs") == []


def test_uploads_are_looked_at_before_a_job(make, uploads):
    found = make("quick").check(uploads)
    assert found.names == ("a.jpg", "b.jpg")
    assert "no kind of file" in found.refused["c.jpg"]
    assert found.warnings[0].kind == "few"
