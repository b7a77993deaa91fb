"""Real jobs over HTTP, two at a time, on pictures of 96 x 64 pixels: none is lost, memory of the server stays flat."""

import statistics
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from recon.io.scene_folder import load_scene
from tests.app.web.served import Served, served
from tests.app.web.uploads.uploaded_files import zipped
from tests.tiny_captures import tiny_capture, write_colmap

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]

NUM_CLIENTS, JOBS_EACH, NUM_VANISHING = 10, 5, 5
NUM_JOBS = NUM_CLIENTS * JOBS_EACH + NUM_VANISHING
MOST_GROWTH_BYTES = 12_000_000
MOST_MORE_FILES = 10
"""That the server may have open afterwards; each job or client that left one would be seen."""
CHOSEN = {"quality": "fast", "mesh": False, "exports": [], "poses": "auto", "views": 0, "fps": 0, "seed": 0}


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


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path, "--workers", "2", "--queue", "6") as server:
        yield server


@dataclass
class Record:
    """What was measured: seconds from asking to the start of a job, how each ended, and the server's memory then."""

    waits: list[float] = field(default_factory=list)
    ends: list[dict] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    num_refused: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def growth(self) -> float:
        """Bytes of the server from the tenth to the last jobs."""
        return statistics.median(self.memory[-10:]) - statistics.median(self.memory[5:15])


def use(client: Client, server: Served, upload: Path, record: Record) -> None:
    """Jobs one after the other; whoever is refused comes again."""
    for _ in range(JOBS_EACH):
        begin = time.monotonic()
        while True:
            job = client.submit(files=[handle_file(upload)], **CHOSEN, api_name="/reconstruct")
            while not job.done() and not any(happened["state"] != "waiting" for happened in job.outputs()):
                time.sleep(0.1)
            wait = time.monotonic() - begin
            try:
                last = job.result(timeout=1200)
                break
            except AppError as error:
                if "at most 6 may wait" not in str(error):
                    raise
                with record.lock:
                    record.num_refused += 1
                time.sleep(0.5)
        with record.lock:
            record.waits.append(wait)
            record.ends.append(last)
            record.memory.append(server.process.memory_info().rss)


def vanish(server: Served, upload: Path) -> None:
    """Start a job, hear of it once, and be gone without a word, as a tab that is killed."""
    with httpx.Client(base_url=server.url, timeout=300) as http:
        while True:
            (path,) = http.post("gradio_api/upload", files={"files": (upload.name, upload.read_bytes())}).json()
            file = {"path": path, "orig_name": upload.name, "meta": {"_type": "gradio.FileData"}}
            asked = http.post("gradio_api/call/reconstruct", json={"data": [[file], *CHOSEN.values()]})
            with http.stream("GET", f"gradio_api/call/reconstruct/{asked.json()['event_id']}") as answer:
                lines = (line for line in answer.iter_lines() if line and line != "event: heartbeat")
                if next(lines) == "event: generating":
                    return
                assert "at most 6 may wait" in next(lines)
            time.sleep(0.5)


def test_fifty_jobs_of_ten_clients_and_five_that_vanish(server: Served, upload: Path, capsys):
    record = Record()
    clients = [server.client() for _ in range(NUM_CLIENTS)]
    num_files = server.process.num_fds()
    threads = [threading.Thread(target=vanish, args=(server, upload)) for _ in range(NUM_VANISHING)]
    threads += [threading.Thread(target=use, args=(client, server, upload, record)) for client in clients]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results = finished(server)
    total, growth, waits = time.monotonic() - begin, record.growth(), record.waits
    p95 = statistics.quantiles(waits, n=20)[-1]
    more_files = server.process.num_fds() - num_files
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(results)} jobs in {total:.0f} s, {record.num_refused} refusals; wait: median "
            f"{statistics.median(waits):.0f} s, p95 {p95:.0f} s; memory of the server from the 10th to the 45th job: "
            f"{growth / 1e6:+.1f} MB of {record.memory[-1] / 1e6:.0f} MB; {more_files:+d} open files\n"
        )
    assert [end["state"] for end in record.ends] == ["done"] * (NUM_CLIENTS * JOBS_EACH)
    assert len({end["job"] for end in record.ends}) == NUM_CLIENTS * JOBS_EACH
    assert len(results) == NUM_JOBS
    assert all(len(load_scene(path).gaussians) > 0 for path in results)
    assert growth < MOST_GROWTH_BYTES
    assert more_files <= MOST_MORE_FILES
    assert server.workers() == []


def finished(server: Served) -> list[Path]:
    """Results of all jobs, also those that nobody watches any more."""
    deadline = time.monotonic() + 120
    while len(found := list(server.jobs.rglob("result/scene.json"))) < NUM_JOBS or server.workers():
        assert time.monotonic() < deadline, f"{len(found)} of {NUM_JOBS} jobs have ended"
        time.sleep(0.2)
    return [path.parent for path in found]
