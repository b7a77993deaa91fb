import os
import random
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recon.errors import ExportError
from recon.io.atomic import atomic_write, check_output, staged_folder


def content(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def write_files(out: Path, names: tuple[str, ...]) -> None:
    with staged_folder(out, overwrite=True) as staging:
        for name in names:
            (staging / name).write_text("new")


def test_file_appears_whole_at_the_end(tmp_path: Path):
    with atomic_write(tmp_path / "x.txt") as temporary:
        temporary.write_text("new")
        assert not (tmp_path / "x.txt").exists()
        assert temporary.parent == tmp_path
    assert content(tmp_path) == {"x.txt": "new"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file(error: type[BaseException], tmp_path: Path):
    (tmp_path / "x.txt").write_text("old")

    def fail_half_way() -> None:
        with atomic_write(tmp_path / "x.txt") as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail_half_way()
    assert content(tmp_path) == {"x.txt": "old"}


def test_new_file_has_the_usual_rights(tmp_path: Path):
    (tmp_path / "plain").touch()
    with atomic_write(tmp_path / "x.txt") as temporary:
        temporary.write_text("new")
    assert stat.S_IMODE((tmp_path / "x.txt").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_full_disk_is_an_export_error(tmp_path: Path):
    with pytest.raises(ExportError, match="No space left"), atomic_write(tmp_path / "x.txt"):
        raise OSError(28, "No space left on device")
    assert content(tmp_path) == {}


def test_file_cannot_take_the_place_of_a_folder_or_lie_in_a_file(tmp_path: Path):
    (tmp_path / "x").mkdir()
    with pytest.raises(ExportError, match="is a folder"), atomic_write(tmp_path / "x"):
        pytest.fail("the body must not run")
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "x", tmp_path / "none" / "x"):
        with pytest.raises(ExportError, match="cannot be written"), atomic_write(path):
            pytest.fail("the body must not run")


@pytest.mark.parametrize("existing", [False, True])
def test_folder_appears_at_the_end(existing: bool, tmp_path: Path):
    out = tmp_path / "a" / "out"
    if existing:
        out.mkdir(parents=True)
    with staged_folder(out, overwrite=False) as staging:
        (staging / "images").mkdir()
        (staging / "images" / "0.png").write_text("picture")
        (staging / "scene.json").write_text("{}")
        assert not out.exists() or content(out).keys() <= {str(p.relative_to(out)) for p in staging.rglob("*")}
    assert content(tmp_path) == {"a/out/images/0.png": "picture", "a/out/scene.json": "{}"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("existing", [False, True])
def test_an_error_leaves_no_trace(existing: bool, error: type[BaseException], tmp_path: Path):
    out = tmp_path / "out"
    if existing:
        out.mkdir()
        (out / "x.txt").write_text("old")
    before = content(tmp_path)

    def fail_half_way() -> None:
        with staged_folder(out, overwrite=True) as staging:
            (staging / "x.txt").write_text("half")
            raise error

    with pytest.raises(error):
        fail_half_way()
    assert content(tmp_path) == before
    assert out.exists() == existing
    assert not any(p.name.endswith(".part") for p in tmp_path.rglob("*"))


def test_overwriting_replaces_own_files_and_keeps_others(tmp_path: Path):
    out = tmp_path / "out"
    (out / "images").mkdir(parents=True)
    for name in ("x.txt", "foreign.txt", "images/foreign.png", "scene.json"):
        (out / name).write_text("old")
    with staged_folder(out, overwrite=True) as staging:
        (staging / "images").mkdir()
        for name in ("x.txt", "images/0.png", "scene.json"):
            (staging / name).write_text("new")
    found = content(out)
    assert {name for name, text in found.items() if text == "old"} == {"foreign.txt", "images/foreign.png"}
    assert {name for name, text in found.items() if text == "new"} == {"x.txt", "images/0.png", "scene.json"}


def test_sidecar_never_stands_beside_files_of_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whichever move fails, scene.json is there only when every file is new or every file is old."""
    names = ("a.txt", "b.txt", "scene.json", "z.txt")
    real_replace = os.replace
    for failing in range(4):
        out = tmp_path / f"out{failing}"
        out.mkdir()
        for name in names:
            (out / name).write_text("old")
        moves = iter(range(10))

        def replace(source: Path, target: Path, moves=moves, failing=failing) -> None:
            if next(moves) == failing:
                raise OSError(5, "Input/output error")
            real_replace(source, target)

        monkeypatch.setattr(os, "replace", replace)
        with pytest.raises(ExportError, match="Input/output error"):
            write_files(out, names)
        monkeypatch.setattr(os, "replace", real_replace)
        found = content(out)
        assert "scene.json" not in found or len(set(found.values())) == 1


def test_a_folder_in_the_way_is_noticed_before_anything_moves(tmp_path: Path):
    out = tmp_path / "out"
    (out / "x.txt").mkdir(parents=True)
    (out / "a.txt").write_text("old")
    with pytest.raises(ExportError, match="is a folder"):
        write_files(out, ("a.txt", "x.txt"))
    assert content(out) == {"a.txt": "old"}


def test_existing_files_need_overwrite(tmp_path: Path):
    (tmp_path / "foreign.txt").write_text("old")
    with pytest.raises(ExportError, match="--overwrite"):
        check_output(tmp_path, overwrite=False)
    with pytest.raises(ExportError, match="--overwrite"), staged_folder(tmp_path, overwrite=False):
        pytest.fail("the body must not run")
    check_output(tmp_path, overwrite=True)
    assert content(tmp_path) == {"foreign.txt": "old"}


def test_what_a_killed_run_left_does_not_count(tmp_path: Path):
    script = (
        "import os, sys, pathlib; from recon.io.atomic import staged_folder\n"
        "with staged_folder(pathlib.Path(sys.argv[1]), overwrite=False) as staging:\n"
        "    (staging / 'x.txt').write_text('half'); os.kill(os.getpid(), 9)"
    )
    out = tmp_path / "out"
    out.mkdir()
    killed = subprocess.run([sys.executable, "-c", script, str(out)], check=False)
    assert killed.returncode == -9
    assert not (out / "x.txt").exists()
    with staged_folder(out, overwrite=False) as staging:
        (staging / "x.txt").write_text("whole")
    assert (out / "x.txt").read_text() == "whole"


OVERWRITE_FOREVER = """
import pathlib, sys
from recon.io.atomic import staged_folder
for number in range(10**9):
    with staged_folder(pathlib.Path(sys.argv[1]), overwrite=True) as staging:
        for name in ("a.txt", "b.txt", "c.txt", "scene.json"):
            (staging / name).write_text(f"{number % 10}" * 20_000)
    if number == 0:
        print("ready", flush=True)
"""


def test_killed_at_any_moment_nothing_is_torn(tmp_path: Path):
    """Every file is whole; scene.json is absent, or all files are of its run."""
    moments = random.Random(0)
    for kill in range(15):
        out = tmp_path / str(kill)
        with subprocess.Popen([sys.executable, "-c", OVERWRITE_FOREVER, str(out)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            time.sleep(moments.uniform(0, 0.02))
            child.kill()
        found = {name: text for name, text in content(out).items() if ".part" not in name}
        assert all(len(text) == 20_000 and len(set(text)) == 1 for text in found.values())
        assert "scene.json" not in found or (len(found) == 4 and len(set(found.values())) == 1)


def test_check_makes_nothing(tmp_path: Path):
    check_output(tmp_path / "a" / "b", overwrite=False)
    assert list(tmp_path.iterdir()) == []


def test_file_in_place_of_a_folder(tmp_path: Path):
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "below" / "out"):
        with pytest.raises(ExportError, match=r"file.*(is a file|cannot be written)"):
            check_output(out, overwrite=True)


def test_read_only_folder(tmp_path: Path):
    tmp_path.chmod(0o555)
    try:
        if os.access(tmp_path, os.W_OK):
            pytest.skip("this user may write to read-only folders")
        for out in (tmp_path, tmp_path / "out"):
            with pytest.raises(ExportError, match="cannot be written"):
                check_output(out, overwrite=True)
    finally:
        tmp_path.chmod(0o755)


def test_folder_that_refuses_new_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As a read-only file system does, also for root."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(ExportError, match="Read-only file system"):
        check_output(tmp_path / "out", overwrite=False)
