"""Fifty real jobs of ten clients, two at a time, on pictures of 96 x 64 pixels: none lost, memory flat."""

import statistics
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from app.web.engine import Engine
from app.web.jobs.events import Done, Started
from app.web.jobs.process import MODULE
from app.web.jobs.settings import JobSettings
from app.web.limits import WebLimits
from recon.errors import ResourceError
from recon.io.scene_folder import load_scene
from tests.app.web.uploads.uploaded_files import zipped
from tests.tiny_captures import tiny_capture, write_colmap

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]

NUM_CLIENTS, JOBS_EACH = 10, 5
MOST_GROWTH_BYTES = 30_000_000
SETTINGS = JobSettings(quality="fast", exports=("ply",))


@pytest.fixture(scope="module")
def upload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three posed pictures of a box in a zip archive, so that little else than the machinery takes time."""
    folder = tmp_path_factory.mktemp("upload")
    capture = tiny_capture(frames=3)
    write_colmap(folder, [capture])
    root = folder / capture.name
    files = [(str(path.relative_to(root)), path.read_bytes()) for path in root.rglob("*") if path.is_file()]
    path = folder / "box.zip"
    path.write_bytes(zipped(*files))
    return path


def test_fifty_jobs_of_ten_clients(upload, tmp_path, capsys):
    process, lock = psutil.Process(), threading.Lock()
    waits: list[float] = []
    ends: list[type] = []
    memory: list[int] = []
    done: list[str] = []

    def client(engine: Engine) -> None:
        for _ in range(JOBS_EACH):
            begin = time.monotonic()
            while True:
                try:
                    id = engine.submit([upload], SETTINGS)
                    break
                except ResourceError:
                    time.sleep(0.2)
            for event in engine.events(id, timeout=1200):
                if isinstance(event, Started):
                    wait = time.monotonic() - begin
                last = event
            with lock:
                done.append(id)
                waits.append(wait)
                ends.append(type(last))
                memory.append(process.memory_info().rss)

    with Engine(WebLimits(num_workers=2, max_waiting=6), tmp_path / "jobs") as engine:
        threads = [threading.Thread(target=client, args=(engine,)) for _ in range(NUM_CLIENTS)]
        begin = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        total = time.monotonic() - begin
        # Looked at only now: what that takes is not the server's.
        assert all(len(load_scene(engine.folder(id) / "result").gaussians) > 0 for id in done)
    p95 = statistics.quantiles(waits, n=20)[-1]
    growth = statistics.median(memory[-10:]) - statistics.median(memory[5:15])
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(ends)} jobs in {total:.0f} s; wait: median {statistics.median(waits):.0f} s, p95 {p95:.0f} s; "
            f"memory of the server from the 10th to the 45th job: {growth / 1e6:+.1f} MB of {memory[-1] / 1e6:.0f} MB\n"
        )
    assert ends == [Done] * (NUM_CLIENTS * JOBS_EACH)
    assert growth < MOST_GROWTH_BYTES
    assert list((tmp_path / "jobs").iterdir()) == []
    assert not [child for child in process.children() if MODULE in child.cmdline()]
