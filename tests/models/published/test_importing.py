import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from app.parity.ilrm import check_network
from models.hub import load_pretrained, save_pretrained
from models.ilrm.network import ILRM
from models.ilrm.state_dict import from_published
from models.published.importing import PUBLISHED, import_weights
from recon.errors import CheckpointError, ExportError, InputError
from tests.published_files import (
    SMALL_PUBLISHED,
    import_small,
    lightning_checkpoint,
    recorded_weights,
    save_main,
    save_wide,
    save_with_strangers,
    with_more_digits,
)


@pytest.mark.parametrize(
    ("fixture", "save", "variant"),
    [("ilrm_main", save_main, "RealEstate10K, (2, F, F)"), ("ilrm_wide", save_wide, "DL3DV, (16 or 32, H, F)")],
)
def test_imported_weights_reproduce_the_recorded_numbers(
    fixture: str, save: Callable[[Path], Path], variant: str, tmp_path: Path, fixtures: Path
) -> None:
    done = import_small(save(tmp_path / "published"), tmp_path / "out")
    assert done.variant.startswith(variant)
    assert done.source_sha256 == hashlib.sha256((tmp_path / "published").read_bytes()).hexdigest()
    pretrained = load_pretrained(tmp_path / "out")
    assert pretrained.name == "ilrm"
    assert pretrained.sha256 == done.weights_sha256
    assert isinstance(pretrained.network, ILRM)
    config, _ = from_published(recorded_weights(fixture))
    assert pretrained.network.config == config
    with torch.no_grad():
        errors = check_network(pretrained.network, fixtures / fixture)
    assert len(errors) >= 17
    assert [e for e in errors if not e.ok] == []


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_no_weight_is_rounded(dtype: torch.dtype, tmp_path: Path) -> None:
    state = {name: value.to(dtype) for name, value in with_more_digits(recorded_weights("ilrm_wide")).items()}
    torch.save({"model": state}, tmp_path / "a.pt")
    import_small(tmp_path / "a.pt", tmp_path / "out")
    _, expected = from_published(state)
    found = load_file(tmp_path / "out" / "model.safetensors")
    assert found.keys() == expected.keys()
    assert {value.dtype for value in found.values()} == {torch.float32}
    assert all(torch.equal(found[name], value.float()) for name, value in expected.items())


def test_the_digits_of_the_test_would_not_survive_float16(tmp_path: Path) -> None:
    config, state = from_published(with_more_digits(recorded_weights("ilrm_wide")))
    network = ILRM(config)
    network.load_state_dict(state)
    save_pretrained(tmp_path / "out", "ilrm", network, config)
    found = load_file(tmp_path / "out" / "model.safetensors")
    assert not all(torch.equal(found[name].float(), value) for name, value in state.items())


def test_a_notice_of_the_terms_stands_beside_the_weights(tmp_path: Path) -> None:
    done = import_small(save_wide(tmp_path / "wide.pt"), tmp_path / "out")
    notice = (tmp_path / "out" / "NOTICE.txt").read_text()
    assert "no licence" in done.notice
    assert done.notice in notice
    assert done.source_sha256 in notice
    files = {path.name: path.stat().st_mode for path in (tmp_path / "out").iterdir()}
    assert files.keys() == {"NOTICE.txt", "config.json", "model.safetensors"}
    assert len(set(files.values())) == 1


def test_an_existing_folder_stays_as_it_is_unless_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    import_small(save_main(tmp_path / "a.ckpt"), out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    wide = save_wide(tmp_path / "wide.pt")
    with pytest.raises(ExportError, match="already holds files"):
        import_small(wide, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    import_small(wide, out, overwrite=True)
    assert json.loads((out / "config.json").read_text())["config"]["viewpoint_factor"] == 2
    assert load_pretrained(out).sha256


class RunsAShell:
    """Unpickling it would make a file."""

    def __init__(self, canary: Path):
        self.canary = canary

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.canary}",)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_refused_file_runs_nothing_and_leaves_nothing(overwrite: bool, tmp_path: Path) -> None:
    content = lightning_checkpoint(recorded_weights("ilrm_main"))
    hostile, incomplete = content | {"x": RunsAShell(tmp_path / "canary")}, dict(content)
    incomplete["state_dict"] = dict(list(content["state_dict"].items())[1:])
    for number, spoiled in enumerate((hostile, incomplete)):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        save_with_strangers(spoiled, folder / "a.ckpt")
        with pytest.raises(CheckpointError):
            import_small(folder / "a.ckpt", folder / "out", overwrite=overwrite)
        assert [path.name for path in folder.iterdir()] == ["a.ckpt"]
    assert not (tmp_path / "canary").exists()


def test_a_disk_that_takes_no_more_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("models.hub.save_file", full)
    with pytest.raises(ExportError, match="No space left"):
        import_small(save_wide(tmp_path / "wide.pt"), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["wide.pt"]


def test_other_networks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ilrm"):
        import_weights("dust3r", tmp_path / "a.pth", tmp_path / "out")
    assert PUBLISHED.keys() == SMALL_PUBLISHED.keys() == {"ilrm"}
