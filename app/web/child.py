"""Modules of this program run in processes of their own, so that what breaks there does not break the server."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from recon.errors import ResourceError


def command(module: str, *arguments: str) -> list[str]:
    """What starts a module; `-P` so that no file of the working directory is taken for one."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment(**more: str) -> dict[str, str]:
    """This one, with the modules that this process finds, and more."""
    path = os.pathsep.join(os.path.abspath(place) for place in sys.path)
    return os.environ | {"PYTHONPATH": path} | more


class Children:
    """Processes that were asked something, so that none outlives whoever wants the answer."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._is_closed = False
        self._lock = threading.Lock()

    @property
    def is_closed(self) -> bool:
        """Whether no answer is wanted any more."""
        return self._is_closed

    def close(self) -> None:
        """End those that run, and every further one as soon as it is started."""
        with self._lock:
            self._is_closed = True
            running = list(self._running)
        for process in running:
            _end(process)

    @contextmanager
    def holding(self, process: subprocess.Popen[str]) -> Iterator[None]:
        """Know of a process until the end of the block, at which it is gone."""
        with self._lock:
            self._running.add(process)
            is_closed = self._is_closed
        try:
            if is_closed:
                _end(process)
            yield
        finally:
            _end(process)
            with self._lock:
                self._running.discard(process)


def ask(
    module: str, request: dict[str, Any], max_seconds: float, children: Children | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a module with a request as JSON on its standard input; what it answered, and how it ended.

    Args:
        module: Its name.
        request: Ready for JSON.
        max_seconds: Wall time.
        children: Told of the process.

    Raises:
        subprocess.TimeoutExpired: It took longer, and was ended.
        ResourceError: `children` were closed meanwhile.
    """
    children = children or Children()
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command(module), stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment(), start_new_session=True
    )
    with process, children.holding(process):
        answer, errors = process.communicate(json.dumps(request), timeout=max_seconds)
    if children.is_closed and process.returncode != 0:
        raise ResourceError("the server ends", hint="try again when it is back")
    return subprocess.CompletedProcess(process.args, process.returncode, answer, errors)


def _end(process: subprocess.Popen[str]) -> None:
    """End a process and its group at once, unless it ended by itself, and wait for that."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answer_request(answer: Callable[[str], str]) -> None:
    """Be a module that is asked: the request is standard input, the answer alone standard output.

    Args:
        answer: What to answer to a request.
    """
    be_the_first_to_go()
    with os.fdopen(os.dup(1), "w") as out:
        os.dup2(2, 1)  # what libraries print is no part of the answer
        out.write(answer(sys.stdin.read()))


def be_the_first_to_go() -> None:
    """Where memory runs out, let the system end this process before the server; elsewhere than on Linux no matter."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
