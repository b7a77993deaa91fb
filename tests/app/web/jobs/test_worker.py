import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.web.jobs.events import Failed, Progress, from_line
from app.web.jobs.process import WorkerProcess
from app.web.jobs.settings import JobSettings
from app.web.jobs.work import read_job, reconstruct_job, write_job
from app.web.limits import WebLimits
from recon.errors import FormatError, InputError, ResourceError
from tests.app.web.uploads.uploaded_files import encoded

LIMITS = WebLimits().input


def make_folder(tmp_path: Path, **files: bytes) -> Path:
    (tmp_path / "job" / "input").mkdir(parents=True)
    for name, content in files.items():
        (tmp_path / "job" / "input" / f"{name}.jpg").write_bytes(content)
    write_job(tmp_path / "job", tuple(f"{name}.jpg" for name in files), JobSettings(quality="fast"), LIMITS)
    return tmp_path / "job"


def test_a_job_is_written_down_and_read_back(tmp_path):
    settings = JobSettings("sfm", "best", True, ("glb",), 5, 2.0, 3)
    write_job(tmp_path, ("b.jpg", "a.jpg"), settings, LIMITS)
    assert read_job(tmp_path) == (("b.jpg", "a.jpg"), settings, LIMITS)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"sources": ["../secret.jpg"]}, FormatError),
        ({"sources": ["/etc/passwd"]}, FormatError),
        ({"sources": [3]}, FormatError),
        ({"sources": None}, FormatError),
        ({"limits": {"max_pixels_": 3}}, FormatError),
        ({"settings": {"out": "/etc"}}, InputError),
        ({"settings": {"quality": "ultra"}}, InputError),
    ],
)
def test_a_job_that_was_changed_is_refused(tmp_path, change, error):
    write_job(tmp_path, ("a.jpg",), JobSettings(), LIMITS)
    content = json.loads((tmp_path / "job.json").read_text())
    (tmp_path / "job.json").write_text(json.dumps(content | change))
    with pytest.raises(error):
        read_job(tmp_path)


def test_an_error_of_the_pipeline_is_told_without_the_place_of_the_files(tmp_path):
    folder = make_folder(tmp_path, good=encoded("JPEG"), bad=encoded("JPEG")[:-300])
    events: list = []
    last = WorkerProcess(folder, 120.0).run(events.append)
    assert isinstance(last, Failed)
    assert last.kind == "FormatError"
    assert last.message.startswith("bad.jpg: not a readable image")
    assert str(tmp_path) not in str(last)
    assert all(isinstance(event, Progress) for event in events)
    assert events[0].fraction == 0
    assert not (folder / "result").exists()


def test_what_cannot_fit_into_memory_is_refused_with_numbers_before_any_work(tmp_path, monkeypatch):
    monkeypatch.chdir(make_folder(tmp_path, a=encoded("JPEG"), b=encoded("JPEG")))
    monkeypatch.setattr("recon.pipeline.planning.free_memory_bytes", lambda: 20_000_000)
    events: list = []
    with pytest.raises(ResourceError, match=r"2 views of \d+x\d+ need about .* GiB, 0\.0 GiB are free"):
        reconstruct_job(events.append)
    assert {event.stage for event in events} == {"load"}


def test_every_line_of_a_worker_is_an_event(tmp_path):
    """Standard output is the pipe of events alone: what libraries print goes to the log."""

    code = (
        "import sys; from pathlib import Path; from app.web.jobs.worker import EventPipe; "
        "from app.web.jobs.events import Progress; tell = EventPipe(Path('/x')); print('noise', flush=True); "
        "import os; os.write(1, b'more noise'); tell(Progress('load', 'at /x/input/a.jpg'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[4], check=True
    )
    assert from_line(done.stdout) == Progress("load", "at a.jpg")
    assert done.stderr == "noise\nmore noise"
