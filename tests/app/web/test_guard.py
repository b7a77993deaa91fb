"""The wall in front of Gradio, asked as ASGI servers ask it; behind it stands a program that answers everything."""

import asyncio
import json
from typing import Any

import pytest

from app.web.guard import MAX_JSON_BYTES, Guard, Rules, names_an_address

HOST = "127.0.0.1:7860"
RULES = Rules(max_upload_bytes=1000, hosts=frozenset((HOST, "localhost:7860")))


async def _answers_all(scope: Any, receive: Any, send: Any) -> None:
    body = b""
    if scope["method"] == "POST":
        while True:
            message = await receive()
            body += message["body"]
            if not message["more_body"]:
                break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-seen", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": b"ok"})


def ask(
    path: str,
    *,
    method: str = "GET",
    host: str = HOST,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    rules: Rules = RULES,
) -> tuple[int, dict[str, str]]:
    sent: list[Any] = []
    parts = [body[i : i + 65536] for i in range(0, len(body), 65536)] or [b""]

    async def receive() -> dict[str, Any]:
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message: Any) -> None:
        sent.append(message)

    pairs = {"host": host} | (headers or {})
    raw = [(name.encode(), value.encode()) for name, value in pairs.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw}
    asyncio.run(Guard(_answers_all, rules)(scope, receive, send))
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def test_names_of_the_tunnel_lead_here() -> None:
    rules = Rules(1000, frozenset(), tunnel=".gradio.live")
    assert ask("/", host="0123abcd.gradio.live", rules=rules)[0] == 200
    assert ask("/", host="0123abcd.gradio.live.evil.example", rules=rules)[0] == 403


@pytest.mark.parametrize(
    "path",
    [
        "/", "/config", "/theme.css", "/assets/index-1.js", "/static/img/logo.svg", "/login", "/jobs/abc/files/a.ply",
        "/jobs/abc/view/result/", "/examples/room_01.jpg", "/gradio_api/info", "/gradio_api/queue/data",
        "/gradio_api/heartbeat/abc", "/gradio_api/file=/tmp/x/photo%20ä.jpg", "/gradio_api/startup-events",
    ],
)  # fmt: skip
def test_what_the_page_needs_comes_through(path: str) -> None:
    assert ask(path)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/proxy=https://example.com/x", "/proxy=https://example.com", "/monitoring", "/monitoring/summary",
        "/gradio_api/vibe-edit", "/gradio_api/vibe-code/", "/gradio_api/dev/reload", "/gradio_api/deep_link",
        "/gradio_api/runs", "/gradio_api/run-history/records", "/gradio_api/process_recording",
        "/gradio_api/stream/a/b/1/x.ts", "/gradio_api/profiling/traces", "/docs", "/openapi.json",
        "/gradio_api/custom_component/1/client/component/index.js", "/jobs", "/pwa_icon", "", "/.env", "/etc/passwd",
        "/gradio_api/openapi.json", "/gradio_api/mcp", "/custom_component/x", "/file=/etc/passwd",
        "/assets/../../etc/passwd", "/jobs/x/../../etc/passwd", "/static/..\\..\\x", "//etc/passwd",
    ],
)  # fmt: skip
def test_every_other_path_leads_nowhere(path: str) -> None:
    assert ask(path)[0] == 404


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:7860", "127.0.0.1", "127.0.0.1:80", "localhost.evil:7860"]
)
def test_a_request_that_means_another_host_is_refused(host: str) -> None:
    assert ask("/", host=host)[0] == 403
    assert ask("/", host=host, rules=Rules(1000))[0] == 200  # where any name may lead here
    assert ask("/", host=host, rules=Rules(1000, frozenset(), tunnel=".gradio.live"))[0] == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("192.168.1.5:7860", 200), ("192.168.1.5", 200), ("[::1]:8080", 200), ("localhost:9000", 200),
        ("Box.lan:7860", 200), ("evil.example:7860", 403), ("box.lan.evil.example", 403),
        ("192.168.1.5.evil.example", 403), ("", 403), ("1", 403),
    ],
)  # fmt: skip
def test_other_machines_reach_it_by_number_or_by_a_name_that_was_given(host: str, status: int) -> None:
    rules = Rules(1000, frozenset(), frozenset(("localhost", "box.lan")))
    assert ask("/", host=host, rules=rules)[0] == status


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)]
)
def test_pages_of_other_sites_send_nothing(site: str, status: int) -> None:
    headers = {"sec-fetch-site": site, "content-length": "10"}
    for path in ("/gradio_api/upload", "/login", "/gradio_api/queue/join"):
        assert ask(path, method="POST", headers=headers)[0] == status
    assert ask("/", headers=headers)[0] == 200  # a link from there is fine


@pytest.mark.parametrize("encoding", [" {}", "utf-8-sig", "utf-16", "utf-32"])
def test_an_address_is_found_however_the_json_is_written(encoding: str) -> None:
    words = json.dumps({"data": [{"path": "http://example.com/x.jpg"}]})
    body = words.encode(encoding) if encoding != " {}" else f" \n{words}".encode()
    assert ask("/gradio_api/queue/join", method="POST", body=body)[0] == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND"])
def test_only_three_methods_are_answered(method: str) -> None:
    assert ask("/", method=method)[0] == 405


@pytest.mark.parametrize(
    "path",
    [
        "http://127.0.0.1:9/x",
        "https://example.com",
        "ftp://x/y",
        "file:///etc/passwd",
        "//host/x",
        "\\\\host\\x",
        "HTTP://X",
    ],
)
def test_a_file_is_never_fetched_from_an_address(path: str) -> None:
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    for content in (file, [file], {"data": [None, {"files": [file]}]}):
        assert names_an_address(content)
        body = json.dumps(content).encode()
        assert ask("/gradio_api/queue/join", method="POST", body=body)[0] == 400
        assert ask("/gradio_api/call/reconstruct", method="POST", body=body)[0] == 400
    if "\\" not in path:
        assert ask(f"/gradio_api/file={path}")[0] == 403


def test_an_uploaded_file_is_passed_on_whole() -> None:
    url = f"http://{HOST}/gradio_api/file=/tmp/x.jpg"  # what the browser adds, and nobody reads
    body = json.dumps({"data": [{"path": "/tmp/x.jpg", "url": url}], "words": "http://example.com" * 20_000}).encode()
    status, headers = ask("/gradio_api/queue/join", method="POST", body=body)
    assert (status, headers["x-seen"]) == (200, str(len(body)))


@pytest.mark.parametrize("body", [b"{" * 100_000, b"[" * 100_000, b"{not json", b'{"path": '])
def test_what_is_not_json_is_refused(body: bytes) -> None:
    assert ask("/gradio_api/queue/join", method="POST", body=body)[0] == 400


def test_sizes_have_bounds() -> None:
    upload = "/gradio_api/upload"
    assert ask(upload, method="POST", headers={"content-length": "1000"})[0] == 200
    assert ask(upload, method="POST", headers={"content-length": "1001"})[0] == 413
    assert ask(upload, method="POST")[0] == 411
    assert ask(upload, method="POST", headers={"content-length": "-5"})[0] == 411
    assert ask(upload, method="POST", headers={"content-length": "5", "transfer-encoding": "chunked"})[0] == 411
    assert ask("/gradio_api/queue/join", method="POST", body=b"x" * (MAX_JSON_BYTES + 1))[0] == 413


def test_every_answer_tells_the_browser_the_rules() -> None:
    for path in ("/", "/nothing/here"):
        headers = ask(path)[1]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        policy = headers["content-security-policy"]
        assert "http" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "connect-src 'self'" in policy
