import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.parity.__main__ import main
from app.parity.fixtures import find_fixtures
from recon.errors import InputError


def test_fixtures_are_found_below_a_folder(fixtures: Path) -> None:
    found = find_fixtures([fixtures / "gaussian_raster", fixtures / "ilrm_main"])
    assert found[-1] == fixtures / "ilrm_main"
    assert len(found) > 2
    with pytest.raises(InputError, match=r"config\.json"):
        find_fixtures([fixtures / "nowhere"])


def test_agreement_is_code_0_and_a_miss_is_code_1(
    fixtures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = fixtures / "gaussian_raster" / "sh0_white"
    assert main([str(source)]) == 0
    assert "all tensors agree" in capsys.readouterr().out
    changed = shutil.copytree(source, tmp_path / "changed")
    outputs = load_file(source / "outputs.safetensors")
    outputs["grad.scales"] += 0.01 * outputs["grad.scales"].abs().max()
    save_file({name: value.contiguous() for name, value in outputs.items()}, changed / "outputs.safetensors")
    assert main([str(source), str(changed)]) == 1
    text = capsys.readouterr().out
    assert [line.split()[:2] for line in text.splitlines() if "MISS" in line] == [["MISS", "grad.scales"]]
    assert text.endswith("1 tensors missed\n")


def test_nan_is_a_miss(fixtures: Path, tmp_path: Path) -> None:
    changed = shutil.copytree(fixtures / "gaussian_raster" / "sh0_white", tmp_path / "changed")
    inputs = load_file(changed / "inputs.safetensors")
    inputs["grad_image"] = torch.full_like(inputs["grad_image"], float("nan"))
    save_file(inputs, changed / "inputs.safetensors")
    assert main([str(changed)]) == 1


@pytest.mark.parametrize(("config", "named"), [({"name": "perpetuum"}, "perpetuum"), ({}, "name"), ([], "config.json")])
def test_unknown_fixture_is_a_clear_error(
    config: object, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert main([str(tmp_path)]) == 2
    assert named in capsys.readouterr().err
