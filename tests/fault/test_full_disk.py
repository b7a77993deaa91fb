"""A disk that is full, read-only, over quota or failing: a typed error, and results are whole or absent."""

import builtins
import errno
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_results import is_whole, write_results

from recon.errors import ExportError
from recon.io.atomic import check_output

HERE = Path(__file__).parent


def mount(folder: Path, options: str) -> bool:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system in memory with the options of the parameter."""
    folder = tmp_path / "disk"
    if sys.platform != "linux" or not mount(folder, request.param):
        pytest.skip("mounting a small file system needs root on Linux")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("small_disk", [f"size={pages * 4}k" for pages in (1, 2, 4, 8, 12, 16)], indirect=True)
def test_full_disk(small_disk: Path) -> None:
    with pytest.raises(ExportError, match=r"No space left|cannot be encoded") as caught:
        write_results(small_disk / "out")
    assert caught.value.hint
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("small_disk", ["size=8m"], indirect=True)
def test_disk_with_room(small_disk: Path) -> None:
    """The control of the test above, and the free space is that of the disk of the results."""
    check_output(small_disk / "a" / "b", overwrite=False, expected_bytes=7_000_000)
    with pytest.raises(ExportError, match="take about 9 MB, its disk has 8 MB left"):
        check_output(small_disk / "a" / "b", overwrite=False, expected_bytes=9_000_000)
    write_results(small_disk / "out")
    assert is_whole(small_disk / "out")


@pytest.mark.parametrize("small_disk", ["ro"], indirect=True)
def test_read_only_disk(small_disk: Path) -> None:
    for out in (small_disk, small_disk / "out", small_disk / "a" / "out"):
        with pytest.raises(ExportError, match="Read-only file system") as caught:
            check_output(out, overwrite=True)
        assert "may write to" in caught.value.hint


def test_files_of_limited_size(tmp_path: Path) -> None:
    """As `ulimit -f` does; one limit is large enough."""
    limits = ["0", "100", "1000", "3000", "5000", "9000", "12000", "10000000"]
    command = [sys.executable, str(HERE / "limited_writer.py"), str(tmp_path), *limits]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *refused, allowed = json.loads(done.stdout)
    for outcome in refused:
        assert "File too large" in outcome["said"] or "cannot be encoded" in outcome["said"], outcome
        assert (outcome["whole"], outcome["left"]) == (False, 0), outcome
    assert (allowed["said"], allowed["whole"]) == ("", True)


class FailingDisk:
    """Counts the calls that create, sync or move something below a folder; one of them, or all from it on, fail."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch):
        self.folder, self.calls = str(folder), 0
        self.fails_at, self.goes_on, self.code = -1, False, errno.EIO
        for module, name in (
            *((os, name) for name in ("open", "mkdir", "replace", "fsync")),
            (io, "open"),
            (builtins, "open"),
        ):
            monkeypatch.setattr(module, name, self.counting(getattr(module, name), name))

    def arm(self, fails_at: int, goes_on: bool, code: int) -> None:
        self.calls, self.fails_at, self.goes_on, self.code = 0, fails_at, goes_on, code

    def counting(self, real, name):
        def call(target, *arguments, **options):
            if self.writes(name, target, *arguments, **options):
                self.calls += 1
                at = self.calls - 1
                if at == self.fails_at or (self.goes_on and at > self.fails_at >= 0):
                    raise OSError(self.code, os.strerror(self.code))
            return real(target, *arguments, **options)

        return call

    def writes(self, name, target, *arguments, **options) -> bool:
        if name == "fsync":
            return True
        if not str(target).startswith(self.folder):
            return False
        if name != "open":
            return True
        how = arguments[0] if arguments else options.get("mode", options.get("flags", "r"))
        return bool(set(how) & set("wax+")) if isinstance(how, str) else bool(how & (os.O_WRONLY | os.O_RDWR))


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("goes_on", [False, True], ids=["once", "from then on"])
def test_each_call_that_fails(goes_on: bool, step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FailingDisk(tmp_path, monkeypatch)
    (tmp_path / "control").mkdir()
    write_results(tmp_path / "control" / "out")
    tried = range(0, disk.calls - 1, step)
    assert len(tried) > 5
    refused = 0
    for k in tried:
        base = tmp_path / str(k)
        base.mkdir()
        disk.arm(k, goes_on, (errno.ENOSPC, errno.EDQUOT, errno.EIO)[k % 3])
        try:
            write_results(base / "out")
        except ExportError:
            refused += 1
        finally:
            disk.arm(-1, False, 0)
        left = [path.name for path in base.iterdir()]
        assert left in ([], ["out"]), k
        assert left == [] or is_whole(base / "out"), k
    assert refused >= len(tried) - 2  # a folder to make that is there already; the sync behind the last move
