import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import app
from app.cli import main
from app.options import ReconstructOptions
from recon.errors import CheckpointError, ExportError, GeometryError, PoseError, ReconError, ResourceError

REPORT = {
    "input": "photos",
    "poses": {
        "source": "sfm",
        "registered": 2,
        "total": 3,
        "failed": {"blurred.jpg": "9 matches, expected 20"},
        "reprojection_error_px": 0.4321,
        "track_length": None,
    },
    "views": {"a.jpg": "network, group 1", "b.jpg": "network, group 2", "c.jpg": "held back to measure"},
    "refinement": {"steps": 75, "steps_run": 100, "psnr_before": 21.5, "psnr_after": 24.25, "pruned": 1200},
    "gaussians": 12345,
    "seconds": {"load": 0.5, "poses": 1.25},
    "peak_rss_mb": 1234,
}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[ReconstructOptions]:
    """Options that the command passes on; the job itself only writes small files."""
    received: list[ReconstructOptions] = []

    def stand_in(options: ReconstructOptions, **_: Any) -> SimpleNamespace:
        received.append(options)
        logging.getLogger("recon.pipeline").info("placing cameras")
        files = [options.out / name for name in ("gaussians.ply", "images/a.png", "images/b.png")]
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x" * 1500)
        return SimpleNamespace(scene=None, files=files, report=REPORT)

    monkeypatch.setitem(app.__dict__, "reconstruct", stand_in)
    return received


def fail_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def stand_in(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setitem(app.__dict__, "reconstruct", stand_in)


@pytest.mark.parametrize("words", [["--help"], ["reconstruct", "--help"], ["doctor", "--help"], ["--version"]])
def test_help_imports_no_heavy_library(words: list[str]) -> None:
    code = (
        "import sys\nfrom app.cli import main\ntry: main(sys.argv[1:])\n"
        "finally: print(sorted({'torch', 'numba', 'cv2', 'numpy', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


def test_help_tells_what_the_docstring_says(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["reconstruct", "--help"])
    assert caught.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for sentence in ("Long side of the images that the network sees", "Folder of the results", "comma-separated"):
        assert sentence in text


def test_options_reach_the_job(calls: list[ReconstructOptions], tmp_path: Path) -> None:
    words = (
        "reconstruct photos --poses sfm --export ply,mp4 --views 5 --resolution 256 --seed 7 --device cpu --overwrite"
    )
    assert main([*words.split(), "-o", str(tmp_path)]) == 0
    assert calls == [
        ReconstructOptions(
            "photos", tmp_path, "sfm", ("ply", "mp4"), 5, resolution=256, seed=7, device="cpu", overwrite=True
        )
    ]


def test_defaults_are_those_of_the_options(calls: list[ReconstructOptions], tmp_path: Path) -> None:
    assert main(["reconstruct", "photos", "--out", str(tmp_path)]) == 0
    assert calls == [ReconstructOptions("photos", tmp_path)]


def test_table_tells_files_failures_seconds_and_memory(
    calls: list[ReconstructOptions], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["reconstruct", "photos", "-o", str(tmp_path)])
    captured = capsys.readouterr()
    rows = [" ".join(line.split()) for line in captured.out.splitlines()]
    assert rows[0] == f"Written to {tmp_path}"
    assert "gaussians.ply 1.5 kB" in rows
    assert "images/ 3.0 kB 2 files" in rows
    assert "photographs 2 of 3 placed (poses: sfm), reprojection error 0.43 px" in rows
    assert "not placed: blurred.jpg 9 matches, expected 20" in rows
    assert "gaussians 12,345" in rows
    assert "views used 2 by the network in 2 groups" in rows
    held_back = "21.5 -> 24.2 dB on c.jpg, which was held back; 75 steps, 1,200 Gaussians pruned"
    assert f"refinement {held_back}" in rows
    assert "seconds load 0.5, poses 1.2, sum 1.8" in rows
    assert "peak memory 1,234 MB" in rows
    assert "placing cameras" in captured.err


def test_json_is_one_object_and_quiet_is_quiet(
    calls: list[ReconstructOptions], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["reconstruct", "photos", "-o", str(tmp_path), "--json", "--quiet"])
    captured = capsys.readouterr()
    content = json.loads(captured.out)
    assert content["files"][0] == {"path": str(tmp_path / "gaussians.ply"), "bytes": 1500}
    assert content["report"] == REPORT
    assert captured.err == ""


def test_nan_is_null_in_json(
    calls: list[ReconstructOptions], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(REPORT, "gaussians", float("nan"))
    main(["reconstruct", "photos", "-o", str(tmp_path), "--json"])
    out = capsys.readouterr().out
    assert "NaN" not in out
    assert json.loads(out)["report"]["gaussians"] is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GeometryError("camera 3 is a reflection", hint="left-handed axes?"), 2),
        (PoseError("no two photographs match", hint="take them closer together"), 3),
        (CheckpointError("no weights", hint="install again"), 4),
        (ExportError("read-only", hint="another folder"), 5),
        (ResourceError("not enough memory", hint="--views 4"), 6),
        (ReconError("something else", hint="look"), 1),
    ],
)
def test_typed_error_is_one_message_with_its_own_code(
    error: ReconError, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(error, monkeypatch)
    assert main(["reconstruct", "photos", "-o", "out"]) == code
    plain = capsys.readouterr()
    assert plain.out == ""
    assert plain.err == f"error: {error.message}\n  hint: {error.hint}\n"
    assert main(["reconstruct", "photos", "-o", "out", "--json"]) == code
    content = json.loads(capsys.readouterr().err)
    assert content == {"error": type(error).__name__, "message": error.message, "hint": error.hint}


def test_interruption_has_the_code_of_the_signal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(KeyboardInterrupt(), monkeypatch)
    assert main(["reconstruct", "photos", "-o", "out"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_unexpected_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(ZeroDivisionError("a bug"), monkeypatch)
    with pytest.raises(ZeroDivisionError):
        main(["reconstruct", "photos", "-o", "out"])


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("paint", "paint"),
        ("reconstruct -o out", "required: input"),
        ("reconstruct photos", "required: --out"),
        ("reconstruct", "required: input, --out"),
        ("weights convert ilrm-nano", "required: --out"),
        ("reconstruct photos -o out --views many", "views"),
        ("reconstruct photos -o out --poses psychic", "psychic"),
        ("reconstruct photos -o out --colour blue", "--colour"),
        ("reconstruct photos -o out --over", "--over"),
    ],
)
def test_wrong_words_are_named(words: str, named: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.split()) == 2
    error = capsys.readouterr().err
    assert named in error
    assert "--help" in error
    assert main([*words.split(), "--json"]) == 2
    assert named in json.loads(capsys.readouterr().err)["message"]


def test_no_word_at_all_names_the_subcommands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "one of {reconstruct," in capsys.readouterr().err


@pytest.mark.parametrize("asked", [None, "active"])
def test_waiting_threads_leave_the_cores_to_others_unless_told(asked: str | None) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment |= {} if asked is None else {"OMP_WAIT_POLICY": asked}
    code = (
        "import os\nfrom app.cli import main\ntry: main(['--version'])\nfinally: print(os.environ['OMP_WAIT_POLICY'])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == (asked or "passive")
