import json
from pathlib import Path

import pytest

from app.cli import main
from app.options import ReconstructOptions
from models.hub import load_pretrained
from recon.errors import InputError
from tests.published_files import save_main, save_wide


def test_import_says_what_it_made_and_whose_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = save_main(tmp_path / "re10k_2view.ckpt"), tmp_path / "out"
    assert main(["weights", "import", "ilrm", str(file), "--out", str(out)]) == 0
    text = capsys.readouterr().out
    for part in ("RealEstate10K, (2, F, F), 1.0 M parameters", "no licence", "optimizer_states", f"--weights {out}"):
        assert part in text
    assert load_pretrained(out).sha256 in text


def test_import_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["weights", "import", "ilrm", str(save_wide(tmp_path / "a.pt")), "-o", str(tmp_path / "out"), "--json"]
    assert main(words) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["variant"].startswith("DL3DV")
    assert facts["left_out"] == []
    assert main(words) == 5
    assert "--overwrite" in json.loads(capsys.readouterr().err)["hint"]
    assert main([*words, "--overwrite"]) == 0


def test_a_missing_checkpoint_and_an_unknown_network_have_their_exit_codes(tmp_path: Path) -> None:
    assert main(["weights", "import", "ilrm", str(tmp_path / "a.pt"), "-o", str(tmp_path / "out")]) == 4
    assert main(["weights", "import", "nothing", str(tmp_path / "a.pt"), "-o", str(tmp_path / "out")]) == 2
    assert main(["weights"]) == 2
    assert list(tmp_path.iterdir()) == []


def test_list_tells_licence_and_hash(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "list"]) == 0
    text = capsys.readouterr().out
    assert load_pretrained("ilrm-nano").sha256 in text
    assert "Apache-2.0" in text
    assert main(["weights", "list", "--json"]) == 0
    assert [w["name"] for w in json.loads(capsys.readouterr().out)["weights"]] == ["ilrm-nano"]


@pytest.mark.parametrize("weights", ["", None, 3])
def test_weights_of_the_main_job_are_a_name_or_a_folder(weights: object) -> None:
    with pytest.raises(InputError, match="weights"):
        ReconstructOptions("photos", Path("out"), weights=weights)  # pyright: ignore[reportArgumentType]


def test_the_main_job_refuses_weights_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["reconstruct", "datasets/sample", "-o", str(tmp_path / "out"), "--weights", str(tmp_path / "none")]
    assert main(words) == 4
    assert "ilrm-nano" in capsys.readouterr().err
