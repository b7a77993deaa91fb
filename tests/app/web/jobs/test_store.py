import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from app.web.jobs.events import Done, Started
from app.web.jobs.settings import JobSettings
from app.web.jobs.store import JobStore
from recon.errors import InputError, ResourceError


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path):
    store = JobStore(tmp_path, 100.0, clock=Clock())
    yield store
    store.close()


def test_ids_cannot_be_guessed_and_folders_are_private(store):
    jobs = [store.create(JobSettings()) for _ in range(50)]
    assert len({job.id for job in jobs}) == 50
    assert all(len(job.id) == 32 for job in jobs)  # 24 bytes in base 64
    assert {stat.S_IMODE(path.stat().st_mode) for path in (store.root, *(job.folder for job in jobs))} == {0o700}
    assert store.get(jobs[3].id) is jobs[3]


def test_a_job_lives_on_from_its_end_and_its_times_are_those_of_the_store(store):
    job = store.create(JobSettings())
    for now, event in ((50.0, Started()), (200.0, Done((), 1.0))):
        store._clock.now = now
        job.tell(event)
    store._clock.now = 299.0
    assert store.sweep() == 0
    assert job.status().seconds == 150.0
    store._clock.now = 301.0
    assert store.sweep() == 1


@pytest.mark.parametrize("id", ["", "..", "../x", "/etc", "a" * 32, "\0", None, 3, ["x"]])
def test_other_ids_are_no_jobs(store, id):
    store.create(JobSettings())
    with pytest.raises(InputError, match="no such job"):
        store.get(id)


def test_finished_jobs_go_when_nobody_asked_for_them(store):
    clock = store._clock
    old, asked, running = (store.create(JobSettings()) for _ in range(3))
    for job in (old, asked):
        job.tell(Started())
        job.tell(Done((), 1.0))
    clock.now = 90.0
    store.get(asked.id)
    clock.now = 101.0
    assert store.sweep() == 1
    assert not old.folder.exists()
    assert asked.folder.is_dir()
    assert running.folder.is_dir()
    with pytest.raises(InputError, match="no longer"):
        store.get(old.id)


def test_the_sweeper_works_by_itself(tmp_path):
    store = JobStore(tmp_path, 0.2)
    job = store.create(JobSettings())
    job.tell(Done((), 1.0))
    for _ in range(100):
        if not job.folder.exists():
            break
        store._closing.wait(0.05)
    assert not job.folder.exists()
    store.close()


def test_closing_removes_everything(tmp_path):
    store = JobStore(tmp_path, 100.0)
    (store.create(JobSettings()).folder / "file").write_text("x")
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_jobs_are_never_kept_below_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for place in (tmp_path, tmp_path / "inner"):
        with pytest.raises(InputError, match="working directory"):
            JobStore(place, 100.0)


def test_a_place_that_takes_no_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ResourceError, match="cannot be kept"):
        JobStore(tmp_path / "file", 100.0)


def test_what_a_killed_server_left_is_removed_and_what_a_living_one_has_is_not(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from app.web.jobs.store import JobStore; "
        "from app.web.jobs.settings import JobSettings; store = JobStore(Path(sys.argv[1]), 100.0); "
        "print(store.create(JobSettings()).folder, flush=True); time.sleep(60)"
    )
    repository = Path(__file__).parents[4]
    environment = os.environ | {"PYTHONPATH": str(repository)}
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment, cwd=repository
    ) as server:
        assert server.stdout is not None
        folder = Path(server.stdout.readline().strip())
        second = JobStore(tmp_path, 100.0)
        assert folder.is_dir()
        second.close()
        assert folder.is_dir()
        server.send_signal(signal.SIGKILL)
    third = JobStore(tmp_path, 100.0)
    assert not folder.exists()
    third.close()
