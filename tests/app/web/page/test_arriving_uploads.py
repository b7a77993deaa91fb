"""Uploads on their way, through the whole server: those that break off, and those for which the disk has no room."""

import contextlib
import os
import shutil
import socket
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.web import arriving
from app.web.limits import MIN_FREE_BYTES
from app.web.uploads.folder import SECONDS_FOR_A_PART, sweep
from tests.app.web.page.conftest import Site

HEAD = (
    "POST /gradio_api/upload HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    "Content-Length: {length}\r\nConnection: close\r\n\r\n"
)
PART = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
Usage = namedtuple("Usage", "total used free")


def begin(site: Site, length: int, sent: bytes) -> socket.socket:
    parts = urlsplit(site.url)
    connection = socket.create_connection((str(parts.hostname), parts.port), timeout=30)
    connection.sendall(HEAD.format(host=parts.netloc, length=length).encode() + sent)
    return connection


def whole_answer(connection: socket.socket) -> bytes:
    """Up to when the server ends the connection, which it may do with bytes of the upload unread."""
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            answer += part
    return answer


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_half_an_upload_leaves_nothing_after_the_sweep(site: Site):
    folder = Path(os.environ["GRADIO_TEMP_DIR"])
    assert files_in(folder) == []
    with begin(site, 2_000_000, PART + b"x" * 1_000_000):
        wait_until(lambda: sum(path.stat().st_size for path in files_in(folder)) > 900_000)
    time.sleep(0.5)
    assert len(files_in(folder)) == 1  # Gradio leaves it; if it no longer does, the sweep is needless
    assert sweep(folder, time.time() + SECONDS_FOR_A_PART - 60) == 0
    assert sweep(folder, time.time() + SECONDS_FOR_A_PART + 1) == 1
    assert files_in(folder) == []


def test_who_falls_silent_is_answered_and_no_longer_expected(site: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(arriving, "SECONDS_OF_SILENCE", 0.3)
    with begin(site, 2_000_000, PART + b"x" * 1000) as silent:
        assert whole_answer(silent).startswith(b"HTTP/1.1 408")
    folder = Path(os.environ["GRADIO_TEMP_DIR"])
    sweep(folder, time.time() + SECONDS_FOR_A_PART + 1)
    assert files_in(folder) == []


def test_an_upload_without_room_on_the_disk_is_refused_with_numbers(site: Site, monkeypatch: pytest.MonkeyPatch):
    free = MIN_FREE_BYTES + 60_000_000
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**12, 10**12 - free, free))
    with begin(site, 61_000_000, PART) as refused:
        answer = whole_answer(refused)
    assert answer.startswith(b"HTTP/1.1 507")
    words = answer.partition(b"\r\n\r\n")[2].decode()
    assert "61 MB more" in words
    assert f"{free / 1e6:,.0f} MB are free" in words
    assert files_in(Path(os.environ["GRADIO_TEMP_DIR"])) == []


def test_uploads_on_their_way_count(site: Site, monkeypatch: pytest.MonkeyPatch):
    free = MIN_FREE_BYTES + 60_000_000
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**12, 10**12 - free, free))
    folder = Path(os.environ["GRADIO_TEMP_DIR"])
    with begin(site, 40_000_000, PART + b"x" * 1000):
        wait_until(lambda: len(files_in(folder)) == 1)
        with begin(site, 40_000_000, PART) as second:
            assert b"40 MB are on their way" in whole_answer(second)
    wait_until(lambda: is_taken(site, 40_000_000))
    sweep(folder, time.time() + SECONDS_FOR_A_PART + 1)


def is_taken(site: Site, length: int) -> bool:
    """Whether the server waits for the rest of an upload."""
    with begin(site, length, PART) as connection:
        connection.settimeout(0.5)
        try:
            return not connection.recv(65536)
        except TimeoutError:
            return True
