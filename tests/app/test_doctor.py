import json
import re
import tomllib
from pathlib import Path

import pytest
import torch

from app.cli import main
from app.doctor import codecs, diagnosis, machine, parts, required, weights
from app.doctor.parts import OPTIONAL_PARTS, OptionalPart, look_for
from app.doctor.required import broken_imports
from app.doctor.shared_libraries import package_of
from app.doctor.trials import attempt
from models import hub
from models.ilrm.nano.config import NanoConfig
from models.ilrm.nano.network import NanoILRM
from recon.errors import ReconError, ResourceError

ROOT = Path(__file__).parents[2]

SMALL = NanoConfig(dim=64, num_layers=1, feature_dim=16, match_dim=8, coarse_planes=8, fine_planes=4)


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose weights are a small random network."""
    torch.manual_seed(0)
    hub.save_pretrained(tmp_path / "ilrm-nano", "ilrm-nano", NanoILRM(SMALL), SMALL)
    (tmp_path / "ilrm-nano" / "MODEL_CARD.md").write_text("---\nlicense: apache-2.0\n---\n# A network\n")
    monkeypatch.setattr(hub, "WEIGHTS", tmp_path)
    return tmp_path


@pytest.fixture
def broken_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that is found and cannot be imported."""
    (tmp_path / "broken_by_test.py").write_text("raise ImportError('the disk ate it')\n")
    monkeypatch.syspath_prepend(tmp_path)
    return "broken_by_test"


def test_working_installation_is_called_so(shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is True
    assert found["rasterizers"]["cpu"] == "ready"
    assert found["libraries"]["torch"] == torch.__version__
    assert found["machine"]["memory_mb"] > 0
    (entry,) = found["weights"]
    assert entry["licence"] == "apache-2.0"
    assert entry["bytes"] == (shipped / "ilrm-nano" / "model.safetensors").stat().st_size
    assert {trial["name"]: trial["ok"] for trial in found["trials"]} == dict.fromkeys(diagnosis.TRIALS, True)
    assert found["kernel_cache"]["writable"] == "yes"
    assert "JPEG" in found["reads"]["photographs"]
    assert "H.264" in found["reads"]["videos"]
    assert found["machine"]["free_temporary_mb"] > 0


def test_installation_without_weights_fails_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hub, "WEIGHTS", tmp_path)
    assert main(["doctor"]) == 1
    text = capsys.readouterr().out
    assert "no model.safetensors" in text
    assert text.endswith("see the trials above.\n")


def test_weights_with_nan_fail(shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = NanoILRM(SMALL)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(float("nan"))
    hub.save_pretrained(shipped / "ilrm-nano", "ilrm-nano", network, SMALL)
    assert main(["doctor", "--json"]) == 1
    trials = {trial["name"]: trial["ok"] for trial in json.loads(capsys.readouterr().out)["trials"]}
    assert trials == {"render": True, "network": False, "video": True}


def test_absent_part_says_how_to_get_it() -> None:
    state = look_for(OptionalPart("no-such-distribution", "nothing", "no purpose", "pip install it"))
    assert (state.version, state.advice) == (None, "pip install it")


@pytest.mark.skipif(parts.sys.platform != "linux", reason="Debian packages are named on Linux only")
def test_missing_shared_library_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(parts.PACKAGES, "libnosuchthing.so.7", "libnosuchthing7")
    needs = ("libc.so.6", "libnosuchthing.so.7")
    state = look_for(OptionalPart("torch", "torch", "everything", "pip install torch", needs))
    assert state.missing_packages == ("libnosuchthing7",)
    assert state.advice == "apt-get install libnosuchthing7"


def test_part_that_cannot_be_imported_is_not_called_working(broken_module: str) -> None:
    state = look_for(OptionalPart("torch", broken_module, "everything", "pip install torch"))
    assert "the disk ate it" in state.broken
    assert state.advice == "pip install torch --force-reinstall --no-deps"


def test_every_extra_is_an_optional_part() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {re.split(r"[^\w-]", need)[0] for extra, needs in extras.items() if extra != "dev" for need in needs}
    assert named
    assert named <= {part.package for part in OPTIONAL_PARTS}


def test_broken_library_ends_the_visit_with_advice(
    broken_module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(required, "REQUIRED", ("numpy", broken_module))
    assert main(["doctor"]) == ResourceError.exit_code
    error = capsys.readouterr().err
    assert f"{broken_module} cannot be imported (ImportError: the disk ate it)" in error
    assert "install again" in error


@pytest.mark.parametrize(
    ("message", "package"),
    [
        ("libGL.so.1: cannot open shared object file: No such file or directory", "libgl1"),
        ("libmine.so.1: cannot open shared object file: No such file or directory", None),
        ("No module named 'torch'", None),
    ],
)
def test_loader_messages_name_a_package(message: str, package: str | None) -> None:
    assert package_of(message) == package


def test_required_libraries_are_there() -> None:
    assert broken_imports() == []


def test_a_trial_that_breaks_in_an_unknown_way_is_reported() -> None:
    def crash() -> str:
        raise RuntimeError("no kernel image")

    trial = attempt("render", crash)
    assert (trial.ok, trial.detail) == (False, "RuntimeError: no kernel image")


def test_folder_of_kernels_that_takes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(machine, "cache_directory", lambda: tmp_path / "file" / "kernels")
    assert machine.kernel_cache()["writable"].startswith("no (")


def test_video_that_comes_back_changed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    write = codecs.write_mp4
    monkeypatch.setattr(codecs, "write_mp4", lambda path, frames: write(path, [255 - f // 2 for f in frames]))
    with pytest.raises(ReconError, match="off by up to"):
        codecs.write_and_read_a_video()


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: apache-2.0\n---\n", "apache-2.0"),
        ("# Card\n\n**Licence:** CC-BY-4.0\n", "CC-BY-4.0"),
        ("| Licence | Apache-2.0 |\n", "Apache-2.0"),
        ("# Card without one\n", weights.UNKNOWN_LICENCE),
    ],
)
def test_licence_is_read_from_the_card(card: str, licence: str, tmp_path: Path) -> None:
    path = tmp_path / "MODEL_CARD.md"
    path.write_text(card)
    assert weights.stated_licence(path) == licence


def test_licence_of_a_missing_card_is_not_stated(tmp_path: Path) -> None:
    assert weights.stated_licence(tmp_path / "MODEL_CARD.md") == weights.UNKNOWN_LICENCE
