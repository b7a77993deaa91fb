"""Programs that use the page: the documented example, errors, cancelling."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError

from app.web.limits import WebLimits
from recon.io.splats.files import read_gaussians
from tests.app.web.page.conftest import Site
from tests.browsing import sample_files

ROOT = Path(__file__).parents[4]


def documented_example() -> str:
    text = (ROOT / "docs" / "app.md").read_text(encoding="utf-8")
    found = re.search(r"## From a program.*?```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_documented_example_runs(site: Site, tmp_path: Path) -> None:
    (tmp_path / "datasets").symlink_to(ROOT / "datasets")
    code = documented_example()
    assert "http://127.0.0.1:7860/" in code
    done = subprocess.run(
        [sys.executable, "-c", code.replace("http://127.0.0.1:7860/", site.url)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "running refinement" in done.stdout
    assert "gaussians.spz" in done.stdout
    assert len(read_gaussians(tmp_path / "room.spz")) == 2


def test_errors_say_what_was_found_and_what_to_do(site: Site, tmp_path: Path) -> None:
    client = site.client()
    words = tmp_path / "notes.jpg"
    words.write_text("no picture at all")
    one = handle_file(sample_files(1)[0])
    with pytest.raises(AppError, match=r"(?s)1 of 2 files can be used.*notes.jpg.*take more"):
        client.predict(files=[one, handle_file(words)], api_name="/reconstruct")
    with pytest.raises(AppError, match="no file was uploaded"):
        client.predict(files=[], api_name="/reconstruct")
    with pytest.raises(AppError, match="no such job"):
        client.predict(job="x" * 32, api_name="/cancel")
    two = [handle_file(path) for path in sample_files(2)]
    with pytest.raises(AppError):
        client.predict(files=two, quality="perfect", api_name="/reconstruct")
    with pytest.raises(AppError, match="seed"):
        client.predict(files=two, seed=2**40, api_name="/reconstruct")


def test_only_two_endpoints_are_told_and_the_rest_cannot_be_called(site: Site) -> None:
    client = site.client()
    told = client.view_api(return_format="dict", print_info=False)
    assert set(told["named_endpoints"]) == {"/reconstruct", "/cancel"}
    assert told["unnamed_endpoints"] == {}


def test_a_cancelled_job_leaves_nothing_within_two_seconds(make_site: Callable[..., Site]) -> None:
    site = make_site("endless_worker")
    client = site.client()
    running = client.submit(files=[handle_file(path) for path in sample_files(2)], api_name="/reconstruct")
    deadline = time.monotonic() + 20
    while not any(happened.get("message") == "endless" for happened in running.outputs()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    job = running.outputs()[-1]["job"]
    start = time.monotonic()
    assert client.predict(job=job, api_name="/cancel") == {"job": job, "state": "cancelled"}
    assert time.monotonic() - start < 2
    assert list(site.engine.folder(job).iterdir()) == []
    assert running.result(timeout=5)["state"] == "cancelled"


def test_a_full_queue_refuses_with_numbers(make_site: Callable[..., Site]) -> None:
    site = make_site("endless_worker", WebLimits(num_workers=1, max_waiting=1))
    client = site.client()
    files = [handle_file(path) for path in sample_files(2)]
    jobs = [client.submit(files=files, api_name="/reconstruct") for _ in range(2)]
    deadline = time.monotonic() + 20
    while not all(job.outputs() for job in jobs):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with pytest.raises(AppError, match="1 jobs run and 1 wait"):
        client.predict(files=files, api_name="/reconstruct")
    for job in jobs:
        client.predict(job=job.outputs()[-1]["job"], api_name="/cancel")
    assert [job.result(timeout=10)["state"] for job in jobs] == ["cancelled", "cancelled"]
