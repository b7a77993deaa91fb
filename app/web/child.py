"""Modules of this program run in processes of their own, so that what breaks there does not break the server."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any


def command(module: str, *arguments: str) -> list[str]:
    """What starts a module; `-P` so that no file of the working directory is taken for one."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment(**more: str) -> dict[str, str]:
    """This one, with the modules that this process finds, and more."""
    path = os.pathsep.join(os.path.abspath(place) for place in sys.path)
    return os.environ | {"PYTHONPATH": path} | more


def ask(module: str, request: dict[str, Any], max_seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a module with a request as JSON on its standard input; what it answered, and how it ended.

    Raises:
        subprocess.TimeoutExpired: It took longer, and was ended.
    """
    return subprocess.run(
        command(module),
        input=json.dumps(request),
        capture_output=True,
        timeout=max_seconds,
        text=True,
        env=environment(),
        start_new_session=True,
    )


def be_the_first_to_go() -> None:
    """Where memory runs out, let the system end this process before the server; elsewhere than on Linux no matter."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
