import json
from pathlib import Path

import pytest
import torch

from models import hub
from models.hub import load_pretrained, save_pretrained
from models.ilrm.nano.config import NanoConfig
from models.ilrm.nano.network import NanoILRM
from recon.errors import CheckpointError

SMALL = NanoConfig(dim=32, head_dim=16, num_layers=1, feature_dim=16, match_dim=8, coarse_planes=8, fine_planes=4)


@pytest.fixture(scope="module")
def network() -> NanoILRM:
    return NanoILRM(SMALL)


@pytest.fixture
def folder(tmp_path: Path, network: NanoILRM) -> Path:
    save_pretrained(tmp_path / "mine", "ilrm-nano", network, SMALL)
    return tmp_path / "mine"


def settings(**changed: object) -> str:
    return json.dumps({"network": "ilrm-nano", "config": changed})


def test_a_shipped_name_means_the_shipped_network_everywhere(
    folder: Path, network: NanoILRM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_pretrained(tmp_path / "shipped" / "ilrm-nano", "ilrm-nano", NanoILRM(SMALL), SMALL)
    folder.rename(tmp_path / "ilrm-nano")
    monkeypatch.setattr(hub, "WEIGHTS", tmp_path / "shipped")
    monkeypatch.chdir(tmp_path)
    shipped = load_pretrained(tmp_path / "shipped" / "ilrm-nano").sha256
    own = load_pretrained("./ilrm-nano").sha256
    assert own != shipped
    assert load_pretrained("ilrm-nano").sha256 == shipped


@pytest.mark.parametrize("make", [True, False])
def test_an_installation_without_weights_says_so(make: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "WEIGHTS", tmp_path / "weights")
    monkeypatch.chdir(tmp_path)
    if make:
        (tmp_path / "weights").mkdir()
    with pytest.raises(CheckpointError, match="none ship here"):
        load_pretrained("ilrm-nano")


@pytest.mark.parametrize(
    "content",
    [
        settings(dim="a"),
        settings(dim=32.0),
        settings(dim=True),
        settings(dim=None),
        settings(dim=10**30),
        settings(num_layers=10**9),
        settings(coarse_planes=10**12),
        settings(dim=0),
        settings(head_dim=-16),
        settings(dim=100, head_dim=64),
        settings(feature_dim=20),
        settings(nearest=0.0),
        settings(farthest=10**400),
        settings(fine_range=float("nan")),
        settings(colour=1),
        '{"network": "ilrm-nano", "config": [1]}',
        '{"network": ["ilrm-nano"], "config": {}}',
        '{"network": "ilrm-nano"}',
        "[" * 100_000,
        "[]",
        " " * 100_000 + "{}",
        b"\xff\xfe{}",
    ],
    ids=lambda content: str(content)[:60].strip(),
)
def test_every_fault_of_a_config_is_a_checkpoint_error(content: str | bytes, folder: Path) -> None:
    (folder / "config.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CheckpointError, match=r"config\.json"):
        load_pretrained(folder)


def test_shapes_are_compared_before_memory_is_taken(
    folder: Path, network: NanoILRM, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_meta_only(config: NanoConfig) -> NanoILRM:
        assert torch.empty(0).device.type == "meta"
        return NanoILRM(config)

    monkeypatch.setitem(hub.NETWORKS, "ilrm-nano", (NanoConfig, on_meta_only))
    (folder / "config.json").write_text(settings(dim=4096, num_layers=4))
    with pytest.raises(CheckpointError, match=r"has shape .* expected"):
        load_pretrained(folder)


@pytest.mark.parametrize("damage", [b"", b"not a tensor", b"\xff" * 64])
def test_damaged_weights_are_a_checkpoint_error(damage: bytes, folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(damage)
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        load_pretrained(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"no model\.safetensors"):
        load_pretrained(folder)
