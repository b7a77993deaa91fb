"""S12: many people at once, some of whom go away. Jobs are lost never, refused cleanly, and leave nothing behind."""

import random
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from app.web.engine import Engine
from app.web.jobs.events import Cancelled, Done
from app.web.limits import WebLimits
from recon.errors import ResourceError
from tests.app.web.fake_workers import write_workers
from tests.app.web.uploads.uploaded_files import encoded, put

NUM_CLIENTS, JOBS_EACH = 10, 5
WORKER = """
import json, sys, time
print(json.dumps({"event": "progress", "stage": "load", "message": "begun"}), flush=True)
time.sleep(0.02)
print(json.dumps({"event": "done", "files": [], "seconds": 0.02}), flush=True)
"""


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    (tmp_path / "workers").mkdir()
    write_workers(tmp_path / "workers")
    (tmp_path / "workers" / "tiny_worker.py").write_text(WORKER)
    monkeypatch.syspath_prepend(tmp_path / "workers")
    return put(tmp_path, a_jpg=encoded("JPEG"), b_jpg=encoded("JPEG"))


def workers() -> list[list[str]]:
    """Commands of the workers that this process still has; it has other children from other tests."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it has just ended
            found.append(child.cmdline())
    return [command for command in found if any("tiny_worker" in word for word in command)]


def test_fifty_jobs_of_ten_clients_none_is_lost(tmp_path, uploads):
    """Clients that are refused come again; every third goes away and cancels. All others get their result."""
    ends, refused, lock = [], [], threading.Lock()

    def client(number: int, engine: Engine) -> None:
        rng = random.Random(number)
        for _ in range(JOBS_EACH):
            while True:
                try:
                    id = engine.submit(uploads)
                    break
                except ResourceError as error:
                    with lock:
                        refused.append(error.message)
                    time.sleep(0.02)
            goes_away = rng.random() < 0.3
            if goes_away:
                time.sleep(rng.random() * 0.05)
                engine.cancel(id)
            last = list(engine.events(id, timeout=60))[-1]
            with lock:
                ends.append((goes_away, type(last)))

    with Engine(WebLimits(num_workers=2, max_waiting=4), tmp_path / "jobs", worker="tiny_worker") as engine:
        threads = [threading.Thread(target=client, args=(number, engine)) for number in range(NUM_CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        root = engine._store.root
        assert all(list(job.folder.iterdir()) == [] for job in engine._store.all())
        assert len(list(root.iterdir())) == NUM_CLIENTS * JOBS_EACH
    assert len(ends) == NUM_CLIENTS * JOBS_EACH
    assert {end for goes_away, end in ends if not goes_away} == {Done}
    assert {end for goes_away, end in ends if goes_away} <= {Done, Cancelled}
    assert refused
    assert all("wait, at most 4 may wait" in message for message in refused)
    assert list((tmp_path / "jobs").iterdir()) == []
    assert workers() == []


def test_jobs_that_nobody_asks_for_are_gone_after_their_time(tmp_path, uploads):
    with Engine(WebLimits(time_to_live_seconds=0.4), tmp_path / "jobs", worker="tiny_worker") as engine:
        ids = [engine.submit(uploads) for _ in range(3)]
        for id in ids:
            assert isinstance(list(engine.events(id, timeout=10))[-1], Done)
        root, deadline = engine._store.root, time.monotonic() + 10
        while any(root.iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_open_files_and_threads_do_not_grow(tmp_path, uploads):
    process = psutil.Process()
    with Engine(WebLimits(), tmp_path / "jobs", worker="tiny_worker") as engine:
        counts = []
        for _ in range(12):
            list(engine.events(engine.submit(uploads), timeout=10))
            counts.append((process.num_fds(), threading.active_count()))
    # What else runs in this process comes and goes; a job that left one file or thread behind would be seen at the end.
    early, late = np.array(counts[:3]).max(0), np.array(counts[-3:]).min(0)
    assert (late <= early + 1).all(), counts
