import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from recon.errors import ExportError
from recon.io.atomic import atomic_write, check_output, staged_folder


def content(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def write_files(out: Path, names: tuple[str, ...], text: str = "new") -> None:
    with staged_folder(out, overwrite=True) as staging:
        for name in names:
            (staging / name).write_text(text)


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


KILLED_WHILE_WRITING = """
import os, sys, pathlib
from recon.io.atomic import atomic_write, staged_folder
out = pathlib.Path(sys.argv[1])
write = staged_folder(out, overwrite=True) if sys.argv[2] == "folder" else atomic_write(out)
with write as part:
    (part / "x.txt" if part.is_dir() else part).write_text("half")
    os.kill(os.getpid(), 9)
"""


def killed_while_writing(out: Path, kind: str) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, str(out), kind], check=False)
    assert killed.returncode == -9


def parts(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if ".part" in path.name]


@pytest.mark.parametrize("existing", [False, True])
def test_what_a_killed_run_left_goes_with_the_next(existing: bool, tmp_path: Path):
    out = tmp_path / "out"
    if existing:
        out.mkdir()
    killed_while_writing(out, "folder")
    assert len(parts(tmp_path)) == 1
    assert not (out / "x.txt").exists()
    out.mkdir(exist_ok=True)  # what is left may lie inside or beside it
    with staged_folder(out, overwrite=False) as staging:
        (staging / "x.txt").write_text("whole")
    assert content(tmp_path) == {"out/x.txt": "whole"}
    assert parts(tmp_path) == []


def test_what_a_killed_writer_of_a_file_left_goes_with_the_next(tmp_path: Path):
    killed_while_writing(tmp_path / "x.txt", "file")
    assert [path.read_text() for path in parts(tmp_path)] == ["half"]
    with atomic_write(tmp_path / "x.txt") as temporary:
        temporary.write_text("whole")
    assert content(tmp_path) == {"x.txt": "whole"}


def test_what_another_writer_holds_is_left_alone(tmp_path: Path):
    """Two writers of one file: each has its own temporary one, and the later one wins."""
    with atomic_write(tmp_path / "x.txt") as first:
        first.write_text("first")
        with atomic_write(tmp_path / "x.txt") as second:
            assert first.read_text() == "first"
            second.write_text("second")
        assert content(tmp_path).keys() == {"x.txt", first.name}
    assert content(tmp_path) == {"x.txt": "first"}
    with staged_folder(tmp_path / "out", overwrite=True) as staging:
        (staging / "x.txt").write_text("first")
        with staged_folder(tmp_path / "out", overwrite=True) as other:
            (other / "y.txt").write_text("second")
        assert (staging / "x.txt").read_text() == "first"
    assert (tmp_path / "out" / "x.txt").read_text() == "first"


def test_without_locks_nothing_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As on a network share that refuses them: what is left may be another machine's."""
    killed_while_writing(tmp_path / "x.txt", "file")
    (left,) = parts(tmp_path)

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with atomic_write(tmp_path / "x.txt") as temporary:
        temporary.write_text("whole")
    assert content(tmp_path) == {"x.txt": "whole", left.name: "half"}


def test_a_writer_that_replaces_its_file_leaves_no_trace(tmp_path: Path):
    """safetensors writes another file and renames it."""

    def fail_half_way() -> None:
        with atomic_write(tmp_path / "x.txt") as temporary:
            (tmp_path / "own").write_text("half")
            (tmp_path / "own").replace(temporary)
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        fail_half_way()
    assert content(tmp_path) == {}


def test_room_on_the_disk_is_looked_at_before_any_work(tmp_path: Path):
    check_output(tmp_path / "out", overwrite=False, expected_bytes=1)
    with pytest.raises(ExportError, match=r"take about 1,000,000,000 MB, its disk has [\d,]+ MB left") as caught:
        check_output(tmp_path / "out", overwrite=False, expected_bytes=10**15)
    assert "make room" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_interrupting_the_last_moves_changes_nothing_but_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    out = tmp_path / "out"
    for word in ("old", "new"):
        real_replace = os.replace

        def replace(source: Path, target: Path, real_replace=real_replace) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            real_replace(source, target)

        monkeypatch.setattr(os, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            write_files(out, ("a.txt", "b.txt", "scene.json"), word)
        monkeypatch.setattr(os, "replace", real_replace)
        assert content(tmp_path) == {f"out/{name}": word for name in ("a.txt", "b.txt", "scene.json")}
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


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

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ExportError, match="Read-only file system"):
        check_output(tmp_path / "out", overwrite=False)
