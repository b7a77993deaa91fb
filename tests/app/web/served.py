"""The page as people get it: the command in a process of its own, and programs that use it through `gradio_client`."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from gradio_client import Client

SECONDS_TO_START, SECONDS_TO_END = 180.0, 60.0


@dataclass(frozen=True)
class Served:
    """A server in a process of its own.

    Attributes:
        url: Of the page, ending in "/".
        process: The server; its workers are its children.
        jobs: Folder below which it keeps jobs, which is not in its folder for temporary files.
    """

    url: str
    process: psutil.Process
    jobs: Path
    _held: ExitStack

    def client(self) -> Client:
        """A program that uses the page; it ends with the server."""
        return self._held.enter_context(client_of(self.url))

    def workers(self) -> list[psutil.Process]:
        """Processes that it started and that still work."""
        return [child for child in self.process.children(recursive=True) if works(child)]


@contextmanager
def served(folder: Path, *options: str) -> Iterator[Served]:
    """`recon app` with options, until the end of the block, when it must end by itself and leave nothing.

    Args:
        folder: An empty one, for its jobs, its temporary files, and what it prints.
        options: Of the command.
    """
    jobs, temporary, printed, log = (folder / name for name in ("jobs", "tmp", "printed.json", "server.log"))
    temporary.mkdir()
    command = [sys.executable, "-m", "app.cli", "app", "--port", "0", "--no-browser", "--json", "--folder", str(jobs)]
    with ExitStack() as held:
        out, errors = held.enter_context(printed.open("wb")), held.enter_context(log.open("wb"))
        process = subprocess.Popen(
            [*command, *options], stdin=subprocess.DEVNULL, stdout=out, stderr=errors, cwd=temporary,
            env=os.environ | {"TMPDIR": str(temporary)},
        )  # fmt: skip
        held.callback(_end, process, log)
        clients = ExitStack()
        url = _address(process, printed, log)
        yield Served(url, psutil.Process(process.pid), jobs, held.enter_context(clients))
        process.terminate()
        code = process.wait(SECONDS_TO_END)
    words = log.read_text(errors="replace")
    assert code == 0, words
    assert "Traceback" not in words, words
    assert list(temporary.iterdir()) == []
    assert not any(jobs.iterdir())


@contextmanager
def client_of(url: str) -> Iterator[Client]:
    """A client of a page; its threads end with the block. What it listens to, the heartbeat, ends with the server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")  # the argument alone does not keep it from reporting
        client = Client(url, verbose=False, analytics_enabled=False, download_files=False)
    try:
        yield client
    finally:
        client.close()
        for executor in (client.executor, client.helper_executor, client.stream_executor):
            executor.shutdown(wait=True, cancel_futures=True)


def works(process: psutil.Process) -> bool:
    """Whether it is there; one that has ended, and waits for the system to note it, holds no memory and no file."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _address(process: subprocess.Popen[bytes], printed: Path, log: Path) -> str:
    deadline = time.monotonic() + SECONDS_TO_START
    while not printed.read_bytes().endswith(b"\n"):
        assert process.poll() is None, f"the server ended:\n{log.read_text(errors='replace')}"
        assert time.monotonic() < deadline, f"the server does not start:\n{log.read_text(errors='replace')}"
        time.sleep(0.05)
    return json.loads(printed.read_bytes())["url"]


def _end(process: subprocess.Popen[bytes], log: Path) -> None:
    """Whatever happened; what it said is shown by pytest where a test failed."""
    if process.poll() is None:
        process.kill()
        process.wait()
    sys.stderr.write(log.read_text(errors="replace"))
