"""What the page hands out and fetches: nothing of other people's jobs, of the machine, or from elsewhere."""

import http.client
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest

from tests.app.web.page.conftest import Site, make_site, site, template, worker_modules
from tests.browsing import sample_files

CHOSEN = ["fast", False, [], "auto", 0, 0, 0]
"""What `/reconstruct` takes besides files."""
__all__ = ["make_site", "site", "template", "worker_modules"]


def ask(
    site: Site, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    parts = urlsplit(site.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=20)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content, {name.lower(): value for name, value in answer.getheaders()}


def finished_job(site: Site) -> str:
    job = site.engine.submit(sample_files(2))
    assert type(list(site.engine.events(job, timeout=30))[-1]).__name__ == "Done"
    return job


def test_s10_files_of_a_job_and_nothing_else(site: Site) -> None:
    job = finished_job(site)
    root = site.engine.folder(job).parent
    (root / "secret.txt").write_text("secret")
    (site.engine.folder(job) / "job.json").write_text("secret")
    (site.engine.folder(job) / "result" / ".hidden").write_text("secret")
    (site.engine.folder(job) / "result" / "link").symlink_to("/etc/hostname")
    assert ask(site, f"/jobs/{job}/files/result/gaussians.ply")[0] == 200
    assert ask(site, f"/jobs/{job}/view/result/scene.json")[0] == 200
    here, hostname = f"/jobs/{job}/files", Path("/etc/hostname").read_bytes()
    asked = [
        f"{here}/job.json",
        f"{here}/worker.log",
        f"{here}/input/a.jpg",
        f"{here}/tmp/x",
        f"{here}/",
        f"{here}/result",
        f"{here}/result/",
        f"{here}/result/.hidden",
        f"{here}/result/link",
        f"{here}/../../secret.txt",
        f"{here}/result/../job.json",
        f"{here}/result/../../secret.txt",
        f"{here}/result/..%2f..%2fsecret.txt",
        f"{here}/%2e%2e/job.json",
        f"{here}/result/%2e%2e/job.json",
        f"{here}//etc/hostname",
        f"{here}/result//etc/hostname",
        f"{here}/result/%2fetc%2fhostname",
        f"{here}/result/..\\..\\secret.txt",
        f"{here}/result/gaussians.ply%00.png",
        f"{here}/result/gaussians.ply/",
        f"/jobs/{job}/view/result/../../secret.txt",
        f"/jobs/{job}/view/secret/scene.json",
        f"/jobs/{job}/view/result/job.json",
        f"/jobs/{job}/view/../job.json",
        f"/jobs/{job}",
        f"/jobs/{job}/",
        "/jobs/",
        f"/jobs/{'x' * 32}/files/result/gaussians.ply",
        f"/jobs/{'x' * 32}/all.zip",
        f"/jobs/{job[:-1]}/files/result/gaussians.ply",
        f"/jobs/{job}x/files/result/scene.json",
        f"/jobs/{job.swapcase()}/all.zip",
        "/jobs/../secret.txt",
        "/jobs/./secret.txt",
        f"/gradio_api/file={root}/secret.txt",
        f"/gradio_api/file={root}/{job}/result/scene.json",
        "/gradio_api/file=/etc/hostname",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=../../../etc/hostname",
        "/gradio_api/file=pyproject.toml",
        f"/gradio_api/file={Path.cwd()}/pyproject.toml",
        "/gradio_api/file=/proc/self/environ",
        "/gradio_api/file=~/.bashrc",
        "/gradio_api/file=/tmp",
        "/gradio_api/file=",
        "/gradio_api/file=/root/.ssh/id_rsa",
        "/examples/../pyproject.toml",
        "/examples/secret.txt",
        "/static/../../../../etc/hostname",
        "/assets/..%2f..%2f..%2fetc%2fhostname",
        "/svelte/..%2f..%2fx",
        "/gradio_api/component_server",
        "/file=/etc/hostname",
        "/gradio_api/file/etc/hostname",
    ]
    bad = []
    for path in asked:
        status, content, _ = ask(site, path)
        if (
            status not in (400, 403, 404, 405, 422)
            or b"secret" in content.replace(b"secret.txt", b"")
            or hostname in content
        ):
            bad.append((path, status))
    assert len(asked) >= 50
    assert bad == [], f"{len(bad)} of {len(asked)}"


def test_s10_two_people_do_not_see_each_others_jobs(site: Site) -> None:
    """Whatever is asked of the page without an id, no id of a job stands in the answer; and ids are long and random."""
    jobs = [finished_job(site) for _ in range(2)]
    assert len(set(jobs)) == 2
    assert all(len(job) >= 32 for job in jobs)
    for path in ("/", "/config", "/gradio_api/info", "/gradio_api/app_id", "/theme.css", "/examples/room_01.jpg"):
        content = ask(site, path)[1]
        assert not any(job.encode() in content for job in jobs)


def as_json(content: Any) -> dict[str, Any]:
    """What a request with that content takes."""
    return {"method": "POST", "body": json.dumps(content).encode(), "content_type": "application/json"}


def uploaded(site: Site, paths: list[Path]) -> list[dict[str, Any]]:
    """What a program says of files that it has uploaded."""
    found = []
    for path in paths:
        body = (
            b"--a\r\nContent-Disposition: form-data; name=files; filename=a.jpg\r\n\r\n%b\r\n--a--\r\n"
            % path.read_bytes()
        )
        kind = "multipart/form-data; boundary=a"
        status, content, _ = ask(site, "/gradio_api/upload", method="POST", body=body, content_type=kind)
        assert status == 200, content
        found.append({"path": json.loads(content)[0], "meta": {"_type": "gradio.FileData"}})
    return found


IDS_WELCOME = ("cancel",)
"""Endpoints that take the id of a job from whoever knows it."""


@pytest.mark.slow
def test_s10_forged_inputs_reach_no_file_and_no_job(site: Site) -> None:
    """Paths in the place of uploads, ids in the place of the server's state, endpoints of the page called by hand."""
    victim = finished_job(site)
    config = json.loads(ask(site, "/config")[1])
    own = str(site.engine.folder(victim) / "result" / "gaussians.ply")
    before = {job.id for job in site.engine._store.all()}
    statuses = []
    for dependency in config["dependencies"]:
        for path in ("/etc/hostname", own, "../../etc/hostname"):
            file, num = {"path": path, "meta": {"_type": "gradio.FileData"}}, len(dependency["inputs"])
            for inputs in ([[file], *[victim] * (num - 1)][:num], [[path]] * num, [victim] * num):
                if inputs == [victim] * num and dependency["api_name"] in IDS_WELCOME:
                    continue
                asked = as_json({"data": inputs, "fn_index": dependency["id"], "session_hash": "forged"})
                assert ask(site, "/gradio_api/run/predict", **asked)[0] == 404
                statuses.append(ask(site, "/gradio_api/queue/join", **asked)[0])
    assert len(statuses) > 60
    assert set(statuses) == {200}  # they wait in the queue; what becomes of them is told by the events
    events = read_stream(site, "/gradio_api/queue/data?session_hash=forged", seconds=120)  # it looks at the sample
    assert events.count('"process_completed"') == len(statuses)
    assert Path("/etc/hostname").read_text().strip() not in events
    assert "property float" not in events
    assert f"jobs/{victim}/" not in events
    assert site.engine.status(victim).state == "done"
    assert {job.id for job in site.engine._store.all()} == before
    # The control: of the same requests, the one of files that were uploaded makes a job, and that is told.
    (id,) = [dependency["id"] for dependency in config["dependencies"] if dependency["api_name"] == "reconstruct"]
    inputs = [uploaded(site, sample_files(2)), *CHOSEN]
    asked = as_json({"data": inputs, "fn_index": id, "session_hash": "honest"})
    assert ask(site, "/gradio_api/queue/join", **asked)[0] == 200
    events = read_stream(site, "/gradio_api/queue/data?session_hash=honest", seconds=30)
    assert '"state":"done"' in events.replace(" ", "")
    assert len(site.engine._store.all()) == len(before) + 1


def read_stream(site: Site, path: str, seconds: float) -> str:
    parts = urlsplit(site.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=seconds)
    words = b""
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        while chunk := answer.read1(65536):
            words += chunk
    except TimeoutError:
        pass
    finally:
        connection.close()
    return words.decode(errors="replace")


class _Trap(http.server.BaseHTTPRequestHandler):
    hits: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.hits.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"caught")

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def trap() -> Iterator[http.server.HTTPServer]:
    _Trap.hits.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Trap) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that Gradio would fetch; none is fetched."""
    addresses: list[str] = []

    async def record(url: str, cache_dir: str) -> str:
        addresses.append(url)
        raise ValueError(f"{url} is not fetched in a test")

    monkeypatch.setattr("gradio.processing_utils.async_ssrf_protected_download", record)
    return addresses


@pytest.mark.slow
def test_s11_nothing_is_fetched_from_an_address(
    site: Site, trap: http.server.HTTPServer, fetched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """0 of N: neither the trap is asked, nor is the function called by which Gradio fetches."""
    config = json.loads(ask(site, "/config")[1])
    addresses = [
        f"http://127.0.0.1:{trap.server_port}/x.jpg",
        f"http://localhost:{trap.server_port}/x.jpg",
        f"HTTP://127.0.0.1:{trap.server_port}/x.jpg",
        f" http://127.0.0.1:{trap.server_port}/x.jpg",
    ]
    statuses = []
    for dependency in config["dependencies"]:
        for address in addresses:
            for file in (
                {"path": address, "meta": {"_type": "gradio.FileData"}},
                {"path": "/tmp/none.jpg", "url": address, "meta": {"_type": "gradio.FileData"}},
            ):
                data = [[file], *([None] * max(len(dependency["inputs"]) - 1, 0))]
                for wrapped in (data, [file, *data[1:]]):
                    asked = as_json({"data": wrapped, "fn_index": dependency["id"], "session_hash": "ssrf"})
                    whole = as_json({"data": [wrapped[0], *CHOSEN]})
                    for path, request in (("queue/join", asked), ("call/reconstruct", whole)):
                        statuses.append((file["path"] in addresses, ask(site, f"/gradio_api/{path}", **request)[0]))
    for address in addresses:
        for path in ("file=", "proxy="):
            status = ask(site, f"/gradio_api/{path}{address.strip()}")[0]
            assert status in (400, 403, 404), (address, status)
    read_stream(site, "/gradio_api/queue/data?session_hash=ssrf", seconds=3)
    assert len(statuses) > 100
    assert {status for names_an_address, status in statuses if names_an_address} == {400}
    assert fetched == []
    assert _Trap.hits == []
    # The control: without the wall, Gradio would fetch what the first of these names, and that would be seen.
    monkeypatch.setattr("app.web.guard.names_an_address", lambda content: False)
    file = {"path": addresses[0], "meta": {"_type": "gradio.FileData"}}
    status, content, _ = ask(site, "/gradio_api/call/reconstruct", **as_json({"data": [[file], *CHOSEN]}))
    assert status == 200
    read_stream(site, f"/gradio_api/call/reconstruct/{json.loads(content)['event_id']}", seconds=10)
    assert fetched == [addresses[0]]


def test_s13_an_upload_that_is_too_large_is_refused(make_site: Callable[..., Site]) -> None:
    from app.web.limits import WebLimits

    small = make_site(limits=WebLimits(max_upload_bytes=100_000))
    body = b"x" * (100_000 + (1 << 20) + 1)
    status, words, _ = ask(
        small, "/gradio_api/upload", method="POST", body=body, content_type="multipart/form-data; boundary=a"
    )
    assert status == 413
    assert b"at most" in words


def test_a_password_covers_page_files_and_viewer(make_site: Callable[..., Site]) -> None:
    site = make_site(password="a long secret")
    job = finished_job(site)
    for path in (
        f"/jobs/{job}/files/result/scene.json",
        f"/jobs/{job}/view/result/",
        f"/jobs/{job}/all.zip",
        "/config",
        "/gradio_api/info",
        "/examples/room_01.jpg",
        "/gradio_api/queue/data?session_hash=x",
    ):
        assert ask(site, path)[0] == 401, path
    form = {"content_type": "application/x-www-form-urlencoded"}
    assert ask(site, "/login", method="POST", body=b"username=recon&password=wrong", **form)[0] == 400
    status, _, headers = ask(site, "/login", method="POST", body=b"username=recon&password=a+long+secret", **form)
    assert status == 200
    cookie = headers["set-cookie"].split(";")[0]
    assert ask(site, f"/jobs/{job}/files/result/scene.json", cookie=cookie)[0] == 200


def test_another_host_is_refused(site: Site) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", f"evil.example:{urlsplit(site.url).port}"):
        assert ask(site, "/", Host=host)[0] == 403
