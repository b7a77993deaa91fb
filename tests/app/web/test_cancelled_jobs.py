"""Real jobs cancelled while they work: within two seconds the processes and the files are gone."""

import time
from pathlib import Path

import psutil
import pytest

from app.web.engine import Engine
from app.web.jobs.events import Cancelled, Made, Progress
from app.web.jobs.process import MODULE
from app.web.jobs.settings import JobSettings
from tests.app.web.served import works
from tests.app.web.uploads.uploaded_files import mp4

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SAMPLE = sorted((Path(__file__).parents[3] / "datasets" / "sample").glob("*.jpg"))
SECONDS = 2.0


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory):
    with Engine(root=tmp_path_factory.mktemp("jobs")) as engine:
        yield engine


def cancel_and_time(engine: Engine, id: str) -> float:
    (worker,) = [child for child in psutil.Process().children() if works(child) and MODULE in child.cmdline()]
    workers = [worker, *worker.children(recursive=True)]
    begin = time.monotonic()
    assert engine.cancel(id).state == "cancelled"
    assert list(engine.folder(id).iterdir()) == []
    while any(works(worker) for worker in workers):
        assert time.monotonic() - begin < SECONDS
        time.sleep(0.005)
    return time.monotonic() - begin


@pytest.mark.parametrize("stage", ["load", "poses", "gaussians", "refinement", "export"])
def test_in_every_stage(stage, engine):
    id = engine.submit(SAMPLE, JobSettings(quality="balanced", exports=("ply", "mp4"), views=6))
    for event in engine.events(id, timeout=500):
        if isinstance(event, Progress) and event.stage == stage:
            break
    time.sleep(0.2)  # into the work that was announced
    assert cancel_and_time(engine, id) < SECONDS
    assert isinstance(list(engine.events(id))[-1], Cancelled)
    made = [event.what for event in engine.events(id) if isinstance(event, Made)]
    assert "pictures" not in made


def test_while_a_video_is_decoded_in_a_session_of_its_own(engine, tmp_path):
    path = tmp_path / "long.mp4"
    mp4(path, num=4000)
    id = engine.submit([path])
    worker = None
    deadline = time.monotonic() + 120
    while worker is None:
        assert time.monotonic() < deadline
        children = psutil.Process().children(recursive=True)
        worker = next((child for child in children if "recon.io.frames.worker" in " ".join(child.cmdline())), None)
        time.sleep(0.01)
    assert cancel_and_time(engine, id) < SECONDS
    assert not works(worker)
