"""Ctrl-C at random moments of `recon reconstruct`: exit code 130, results whole or absent, no processes left."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from small_results import is_whole

pytestmark = pytest.mark.slow

SAMPLE = Path(__file__).parents[2] / "datasets" / "sample"
OPTIONS = ("--views", "4", "--resolution", "128", "--refine", "0", "--export", "ply,splat,spz,glb,transforms,mp4")
MAX_SECONDS_TO_STOP = 60


def start(out: Path) -> subprocess.Popen[str]:
    """The command in a session of its own, so that all its processes can be told and reached at once.

    As installed: under `python -m`, Python ends by SIGINT whatever the program's own exit code, when Ctrl-C strikes
    inside `exec` of a string, which dataclasses do while they are being imported.
    """
    command = [str(Path(sys.executable).with_name("recon")), "reconstruct", str(SAMPLE), "-o", str(out), *OPTIONS]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def processes_of(session: int) -> list[int]:
    found = []
    for pid in psutil.pids():
        try:
            if os.getsid(pid) == session and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
        except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            continue
    return found


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("stage", ["reading", "placing", "reconstructing", "writing"])
def test_an_interrupted_run_leaves_nothing_half_done(stage: str, number: int, tmp_path: Path) -> None:
    """At a random moment up to a second after a stage was announced; number 0 of each at once."""
    delay = number and random.Random(f"{stage} {number}").random()
    process = start(tmp_path / "out")
    assert process.stderr is not None
    said = ""
    while f"] {stage} " not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    _, rest = process.communicate(timeout=MAX_SECONDS_TO_STOP)
    assert "Traceback" not in rest
    assert processes_of(process.pid) == []
    left = {path.name for path in tmp_path.iterdir()}
    assert "out" not in left or is_whole(tmp_path / "out")
    if process.returncode in (0, -signal.SIGINT):  # it was done before the moment came, or on its way out
        assert (stage, left) == ("writing", {"out"})
    else:
        assert (process.returncode, rest.splitlines()[-1]) == (130, "interrupted")
        assert left <= {"out", ".out.stages"}  # finished stages stay for --resume


def test_interrupted_before_any_work(tmp_path: Path) -> None:
    """While libraries are imported: some of those swallow Ctrl-C, or turn it into other errors."""
    codes = []
    for number in range(8):
        process = start(tmp_path / "out")
        time.sleep(0.5 + 0.5 * number)
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=MAX_SECONDS_TO_STOP)
        codes.append(process.returncode)
        assert processes_of(process.pid) == []
        assert list(tmp_path.iterdir()) == []
    assert set(codes) <= {130, -signal.SIGINT}  # the latter while Python itself still starts
