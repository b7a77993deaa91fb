import itertools
import re
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import models.training
from app.cli import main
from app.commands.train import require_plain_data
from models.adapters import AdapterConfig
from models.training import TrainConfig
from models.training.data import SceneDataModule
from recon.configs import config_names, find_config
from recon.data.captures.__main__ import main as prepare
from recon.data.captures.open_source import open_captures
from recon.errors import FormatError, InputError, LimitError
from tests.tiny_captures import TinyCapture, tiny_captures, write_dl3dv, write_re10k, write_re10k_text


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[TrainConfig]:
    """Configs that the command passes on; nothing is trained."""
    received: list[TrainConfig] = []

    def stand_in(config: TrainConfig) -> Path:
        received.append(config)
        return Path("weights")

    monkeypatch.setattr(models.training, "train", stand_in)
    return received


def leaves(config: Any) -> Any:
    """The tree of field names of nested dataclasses."""
    if not is_dataclass(config):
        return None
    return {field.name: leaves(getattr(config, field.name)) for field in fields(config)}


def test_override_wins_over_the_preset(runs: list, capsys: pytest.CaptureFixture[str]) -> None:
    preset = yaml.safe_load(find_config("experiment/rooms_nano").read_text())
    assert main(["train", "--config", "experiment/rooms_nano", "--trainer.max_steps", "50", "--optim.lr", "3e-4"]) == 0
    (config,) = runs
    assert (config.trainer.max_steps, config.optim.lr) == (50, 3e-4)
    assert config.nano.dim == preset["nano"]["dim"]
    spans = preset["data"]["views"]["random_span"]
    assert config.data.views.random_span.num_context == tuple(spans["num_context"])
    assert capsys.readouterr().out == "weights\n"


def test_an_adapter_is_chosen_by_its_kind_and_is_data(
    runs: list, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--trainer.adapter.kind", "lora", "--trainer.adapter.rank", "4"]) == 0
    (config,) = runs
    assert config.trainer.adapter == AdapterConfig("lora", rank=4)
    assert TrainConfig().trainer.adapter.kind == "none"
    (tmp_path / "evil.yaml").write_text("trainer:\n  adapter: os.system\n")
    assert main(["train", "--config", str(tmp_path / "evil.yaml")]) == 2
    assert "trainer.adapter" in (error := capsys.readouterr().err) or "adapter is a str" in error
    assert main(["train", "--trainer.adapter.rank", "0"]) == 2
    assert "adapter.rank is out of range" in capsys.readouterr().err
    assert len(runs) == 1


def test_without_config_the_defaults_are_taken(runs: list) -> None:
    assert main(["train"]) == 0
    assert runs == [TrainConfig()]


def test_the_main_preset_states_the_defaults(runs: list) -> None:
    assert main(["train", "--config", "experiment/rooms_nano"]) == 0
    assert runs == [TrainConfig()]
    tree = yaml.safe_load(find_config("experiment/rooms_nano").read_text())
    expected = leaves(TrainConfig())
    for part in ("nano", "data", "optim"):
        assert set(tree[part]) == set(expected[part]) - {"read"}


def plain(value: Any) -> Any:
    """Lists for tuples."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, tuple | list) else value


def is_part_of(given: Any, found: Any) -> bool:
    if isinstance(given, dict):
        return all(is_part_of(value, found[key]) for key, value in given.items())
    return given == found


@pytest.mark.parametrize("name", [name for name in config_names() if name.startswith("experiment/")])
def test_every_value_of_a_preset_arrives(name: str, runs: list) -> None:
    assert main(["train", "--config", name]) == 0
    assert is_part_of(yaml.safe_load(find_config(name).read_text()), plain(asdict(runs[0])))


def write_form(form: str, root: Path, captures: list[TinyCapture], split: str) -> None:
    if form == "chunks":
        write_re10k(root, captures, split)
    elif form == "folders":
        write_dl3dv(root / split, captures)
    else:
        write_re10k_text(root, root / "frames" / split, captures, split)


@pytest.mark.parametrize("form", ["chunks", "folders", "text"])
@pytest.mark.parametrize("name", ["experiment/re10k_nano", "experiment/dl3dv_nano"])
def test_presets_take_each_form_of_their_data_set(name: str, form: str, runs: list, tmp_path: Path) -> None:
    """As published, and as scripts/prepare_dl3dv and prepare_re10k convert it."""
    captures = tiny_captures(2, frames=2, size=(32, 32))
    for split in ("train", "test"):
        write_form(form, tmp_path, captures, split)
    assert main(["train", "--config", name, "--data.folder", str(tmp_path)]) == 0
    data = SceneDataModule(runs[0])
    assert data.train_batches.source.names == data.val_batches.source.names == tuple(c.name for c in captures)
    assert len(data.train_batches.source[0]) == 2


def test_a_partial_download_names_the_option_that_uses_it(
    runs: list, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The words of the hint are options of the commands that they are for."""
    write_re10k(tmp_path, captures := tiny_captures(2, frames=2, size=(32, 32)), "test", per_chunk=1)
    write_re10k(tmp_path, captures, "train", per_chunk=1)
    (tmp_path / "train" / "000001.torch").unlink()
    words = ["train", "--config", "experiment/re10k_nano", "--data.folder", str(tmp_path)]
    assert main(words) == 0
    with pytest.raises(FormatError, match="1 chunks of index") as caught:
        SceneDataModule(runs.pop())
    for command, given in (("train", words), ("eval", ["eval", "--index", str(tmp_path / "none.json")])):
        (option,) = re.findall(rf"recon {command} (--\S*missing_chunks skip)", caught.value.hint)
        main([*given, *option.split()])
        assert "missing_chunks" not in capsys.readouterr().err
    assert SceneDataModule(runs.pop()).train_batches.source.names == (captures[0].name,)


@pytest.mark.parametrize(("name", "downsample"), [("experiment/dl3dv_low", 8), ("experiment/dl3dv_high", 4)])
def test_presets_of_depthsplats_protocol_pass_over_distortion(
    name: str, downsample: int, runs: list, tmp_path: Path
) -> None:
    """Of folders, and of chunks that the command in the head of `dl3dv_low` makes of them; of no other chunks."""
    captures = tiny_captures(1, frames=2, size=(32, 32), distortion=(-0.2, 0.0, 0.0, 0.0))
    folders = write_dl3dv(tmp_path / "folders", captures, downsample=downsample)
    (options,) = re.findall(r"scripts/prepare_dl3dv (--.*?)\.\n", find_config("experiment/dl3dv_low").read_text())
    words = options.replace("downsample 8", f"downsample {downsample}").split()
    assert prepare(["--source", str(folders), "--out", str(tmp_path / "chunks"), *words]) == 0
    for folder, change in ((folders, 0), (tmp_path / "chunks", 3)):  # the latter by JPEG
        assert main(["train", "--config", name, "--data.folder", str(folder)]) == 0
        data = runs.pop().data
        found = open_captures(data.folder, data.format, "train", data.read)[0].picture(0)
        assert np.abs(found.astype(float) - captures[0].images[0]).mean() <= change
    main(["train", "--config", name, "--data.folder", str(write_re10k(tmp_path / "others", captures))])
    with pytest.raises(InputError, match="nothing says of which pictures they are made"):
        SceneDataModule(runs.pop())


FULL, HALF = 171_336_960, 185_885_952
COUNTED = {"re10k_2view": FULL, "re10k_4view_half": HALF, "re10k_8view_half": HALF, "dl3dv_low": HALF}
COUNTED |= {"dl3dv_high": HALF, "dl3dv_wide32_256": HALF, "dl3dv_wide32_512": HALF, "dl3dv_wide32": HALF}


@pytest.mark.parametrize(("name", "parameters"), COUNTED.items())
def test_a_dry_run_tells_what_a_run_takes(
    name: str, parameters: int, runs: list, capsys: pytest.CaptureFixture[str]
) -> None:
    """Parameters are counted from the sizes of the layers, as in tests/app/benchmarks/test_full_size.py."""
    assert main(["train", "--config", f"experiment/{name}", "--data.folder", "nowhere", "--dry-run"]) == 0
    assert runs == []
    told = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    number = {key: float(value.replace(",", "")) for key, value in told.items() if re.fullmatch(r"[\d,.]+", value)}
    assert number["parameters"] == parameters
    assert number["samples"] == number["steps"] * number["samples_per_step"]
    assert number["forward_flops_per_sample"] > 2 * number["parameters"]
    assert number["image_tokens"] >= number["viewpoint_tokens"] > 0


def test_stages_begin_with_the_weights_of_the_one_before(runs: list) -> None:
    """The schedule of the paper: each preset's `init_from` is where another one leaves its weights."""
    stages = ["re10k_8view_half", "dl3dv_low", "dl3dv_high"], ["dl3dv_wide32_256", "dl3dv_wide32_512", "dl3dv_wide32"]
    for names in stages:
        for name in names:
            assert main(["train", "--config", f"experiment/{name}"]) == 0
        first, *later = [run.trainer for run in runs]
        runs.clear()
        assert first.init_from is None
        assert [f"{before.out}/weights" for before in (first, *later[:-1])] == [after.init_from for after in later]


@pytest.mark.parametrize(
    "words", [["batch_size", "-2"], ["batch_size", "0"], ["size", "[0,0]"], ["seed", "-1"], ["workers", "-1"]]
)
def test_a_dry_run_refuses_what_a_run_refuses(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    name, value = words
    assert main(["train", f"--data.{name}", value, "--dry-run"]) == 2
    told = capsys.readouterr()
    assert f"data.{name} is" in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    "content",
    [
        "nano:\n  class_path: os.system\n",
        "nano:\n  class_path: models.ilrm.nano.config.NanoConfig\n  init_args:\n    dim: 64\n",
        "nano:\n  _target_: os.system\n",
        "nano: [{_target_: os.system}]\n",
        'nano: !!python/object/apply:os.system ["echo"]\n',
        "nano: !!python/name:os.system\n",
    ],
)
def test_config_cannot_name_code(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], runs: list) -> None:
    path = tmp_path / "evil.yaml"
    path.write_text(content)
    with pytest.raises(FormatError, match=r"evil\.yaml"):
        require_plain_data(path)
    assert main(["train", "--config", str(path)]) == 2
    assert "never code" in (error := capsys.readouterr().err) or "cannot name code" in error
    assert runs == []


BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in itertools.pairwise("abcdefghijklmnopqrst"))


@pytest.mark.parametrize("content", [BOMB, "nano: &m {dim: *m}\n", "[" * 60_000, b"\xff", "nano: \x00\n"])
def test_what_is_no_plain_tree_is_refused(
    content: str | bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str], runs: list
) -> None:
    path = tmp_path / "evil.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FormatError, match=r"evil\.yaml"):
        require_plain_data(path)
    assert main(["train", "--config", str(path)]) == 2
    assert "evil.yaml" in capsys.readouterr().err
    assert runs == []


def test_a_config_is_small(tmp_path: Path) -> None:
    (tmp_path / "large.yaml").write_text("# " + "x" * 2**20)
    with pytest.raises(LimitError, match=r"large\.yaml"):
        require_plain_data(tmp_path / "large.yaml")
    with pytest.raises(InputError, match=r"absent\.yaml"):
        require_plain_data(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("nano:\n  colour: blue\n", "colour"),
        ("nano:\n  dim: wide\n", "dim"),
        ("nanno:\n  dim: 64\n", "nanno"),
        ("nanno: 3\n", "nanno"),
        ("trainer:\n", "trainer is nothing"),
        ("trainer: 3\n", "trainer is a int"),
        ("- trainer\n", "holds a list"),
        ("nano: {dim: }\n", "dim"),
        (f"? 0x1{'0' * 5000}\n: 1\n", "4300 digits"),
    ],
)
def test_unknown_key_or_wrong_type_is_an_error(
    content: str, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], runs: list
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    assert main(["train", "--config", str(path)]) == 2
    assert named in capsys.readouterr().err
    assert runs == []


def test_unknown_option_and_unknown_preset_are_errors(capsys: pytest.CaptureFixture[str], runs: list) -> None:
    assert main(["train", "--nano.colour", "blue"]) == 2
    assert "colour" in capsys.readouterr().err
    assert main(["train", "--config", "experiment/nothing"]) == 2
    assert "experiment/rooms_nano" in capsys.readouterr().err
    assert runs == []
