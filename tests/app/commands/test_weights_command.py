import json
import shlex
from pathlib import Path

import pytest

import models.training
from app.cli import main
from app.options import ReconstructOptions
from models.hub import load_pretrained, save_pretrained
from models.ilrm.nano.network import NanoILRM
from models.published.importing import PUBLISHED
from models.training import TrainConfig
from recon.errors import InputError
from tests.models.walls import SMALL
from tests.published_files import SMALL_PUBLISHED, save_main, save_wide


@pytest.fixture
def small_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the authors had published networks of the sizes of the recorded ones."""
    monkeypatch.setitem(PUBLISHED, "ilrm", SMALL_PUBLISHED["ilrm"])


@pytest.mark.usefixtures("small_published")
def test_import_says_what_it_made_and_whose_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = save_main(tmp_path / "re10k_2view.ckpt"), tmp_path / "out"
    assert main(["weights", "import", "ilrm", str(file), "--out", str(out)]) == 0
    text = capsys.readouterr().out
    for part in ("RealEstate10K, (2, F, F), 1.0 M parameters", "no licence", "optimizer_states", f"--weights {out}"):
        assert part in text
    assert load_pretrained(out).sha256 in text


@pytest.mark.usefixtures("small_published")
def test_import_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["weights", "import", "ilrm", str(save_wide(tmp_path / "a.pt")), "-o", str(tmp_path / "out"), "--json"]
    assert main(words) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["variant"].startswith("DL3DV")
    assert facts["left_out"] == []
    assert main(words) == 5
    assert "--overwrite" in json.loads(capsys.readouterr().err)["hint"]
    assert main([*words, "--overwrite"]) == 0


def test_import_refuses_a_network_of_other_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = save_main(tmp_path / "re10k_2view.ckpt")
    assert main(["weights", "import", "ilrm", str(file), "-o", str(tmp_path / "out")]) == 4
    told = capsys.readouterr().err
    assert "dim 128, expected 768, num_layers 2, expected 12" in told
    assert "as it was published" in told
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.usefixtures("small_published")
def test_import_without_a_folder_writes_beside_other_weights_and_replaces_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = save_main(tmp_path / "re10k_2view.ckpt")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    words = ["weights", "import", "ilrm", str(file)]
    assert main(words) == 0
    assert load_pretrained(Path("weights/re10k_2view")).sha256 in (told := capsys.readouterr().out)
    assert "--weights weights/re10k_2view" in told
    assert main(words) == 5
    assert "--overwrite" in capsys.readouterr().err
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


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    save_pretrained(folder, "ilrm-nano", NanoILRM(SMALL), SMALL)
    return folder


def test_convert_says_errors_and_sizes_and_how_to_go_on(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert main(["weights", "convert", str(small), "-o", str(out), "--linear", "block_shuffle", "--budget", "0.6"]) == 0
    text = capsys.readouterr().out
    network = load_pretrained(out).network
    assert f"{sum(p.numel() for p in network.parameters()):,} now" in text
    for part in (
        "of the entries",
        "processor.blocks.1.attn.attend.qkv",
        f"--weights {out}",
        load_pretrained(out).sha256,
    ):
        assert part in text
    received: list[TrainConfig] = []
    monkeypatch.setattr(models.training, "train", lambda config: received.append(config) or Path("weights"))
    assert (
        main(shlex.split(next(line for line in text.splitlines() if "recon train" in line).partition("recon ")[2])) == 0
    )
    assert received[0].nano == network.config
    assert received[0].nano.block.feed_forward.linear.kind == "block_shuffle"
    assert (received[0].trainer.init_from, received[0].data.folder) == (str(out), "DATA")


def test_convert_as_json_and_widths(small: Path, tmp_path: Path, capsys) -> None:
    words = ["weights", "convert", str(small), "-o", str(tmp_path / "out"), "--width", "0.5", "--json"]
    assert main(words) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["settings"]["block.feed_forward.ratio"] == 0.625
    assert facts["parameters"][1] < facts["parameters"][0]
    assert 0 < facts["error"] < 1
    assert main(words) == 5


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--finalise", "--width", "0.5"], 2, "--width and --finalise are given"),
        ([], 2, "none of --linear, --width, --experts, --finalise is given"),
        (["--linear", "blast", "--width", "0.5"], 2, "--linear and --width are given, expected one"),
        (["--linear", "dense"], 2, "dense"),
        (["--linear", "blast", "--budget", "2"], 2, "budget: 2"),
        (["--linear", "btt", "--value_rank", "3"], 2, "value_rank is 3 with btt maps"),
        (["--linear", "lowrank", "--value_rank", "0"], 2, "value_rank: 0"),
        (["--linear", "blast", "--blocks", "3"], 2, "3 blocks do not divide"),
        (["--width", "0"], 2, "width: 0"),
        (["--width", "0.5", "--calibrate", "nowhere"], 2, "no such folder"),
    ],
)
def test_convert_refuses_what_makes_no_sense(words, code, said, small: Path, tmp_path: Path, capsys) -> None:
    assert main(["weights", "convert", str(small), "-o", str(tmp_path / "out"), *words]) == code
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
