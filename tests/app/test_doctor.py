import json
from pathlib import Path

import pytest
import torch

from app.cli import main
from app.doctor import parts, weights
from app.doctor.parts import OptionalPart, look_for
from models import hub
from models.ilrm.nano.config import NanoConfig
from models.ilrm.nano.network import NanoILRM

SMALL = NanoConfig(dim=64, num_layers=1, feature_dim=16, match_dim=8, coarse_planes=8, fine_planes=4)


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose weights are a small random network."""
    torch.manual_seed(0)
    hub.save_pretrained(tmp_path / "ilrm-nano", "ilrm-nano", NanoILRM(SMALL), SMALL)
    (tmp_path / "ilrm-nano" / "MODEL_CARD.md").write_text("---\nlicense: apache-2.0\n---\n# A network\n")
    monkeypatch.setattr(hub, "WEIGHTS", tmp_path)
    return tmp_path


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
    assert {trial["name"]: trial["ok"] for trial in found["trials"]} == {"render": True, "network": True}


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
    assert trials == {"render": True, "network": False}


def test_absent_part_says_how_to_get_it() -> None:
    state = look_for(OptionalPart("no-such-distribution", "nothing", "pip install it"))
    assert (state.version, state.advice) == (None, "pip install it")


@pytest.mark.skipif(parts.sys.platform != "linux", reason="Debian packages are named on Linux only")
def test_missing_shared_library_names_its_package() -> None:
    needs = (("libc.so.6", "libc6"), ("libnosuchthing.so.7", "libnosuchthing7"))
    state = look_for(OptionalPart("torch", "everything", "pip install torch", needs))
    assert state.missing_packages == ("libnosuchthing7",)
    assert state.advice == "apt-get install libnosuchthing7"


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
