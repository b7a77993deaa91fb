"""What is measured of heads, optimisers, adapters, pruning, assignment and distances."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from app.benchmarks.blocks.__main__ import main
from app.benchmarks.blocks.others import adapters, assignment, distances, pruning, short_runs
from app.benchmarks.blocks.others.adapters import ADAPTERS, Adaptation
from app.benchmarks.blocks.others.catalogue import run
from app.benchmarks.blocks.others.short_runs import SHORT
from app.benchmarks.blocks.study import Run, Study, train_config
from models.training.config import require_usable
from recon.errors import InputError
from recon.io.json_file import read_json
from tests.models.walls import write_walls

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")

SMALL = Study(
    size=16, views=2, batch_size=1, steps=4, points=2, val_batches=1, dim=32, head_dim=8, num_layers=1, warmup_steps=1,
    rates=(2e-3,), seeds=(0,),
)  # fmt: skip


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_walls(tmp_path_factory.mktemp("walls"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of figures, and of the weights that several begin with."""
    return tmp_path_factory.mktemp("figures")


@pytest.mark.parametrize("name", SHORT)
def test_every_short_run_differs_in_one_thing(name: str, rooms: Path, tmp_path: Path) -> None:
    plain = train_config(Study(), Run("dense", 1e-3, 0, 4), rooms, tmp_path)
    changed = SHORT[name][0](plain)
    require_usable(changed)
    assert (changed == plain) == (name == "adamw")
    assert replace(changed, optim=plain.optim, ilrm=plain.ilrm) == plain


def test_a_short_run_tells_every_rate(rooms: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHORT, "wild", (SHORT["adamw"][0], (1e-3, 1e30)))
    found = short_runs.measure("wild", rooms, replace(SMALL, steps=8))  # a gradient is looked at before each step
    assert 0 < found["psnr_db"]["0.001"] < 60
    assert found["psnr_db"]["1e+30"] is None
    assert found["cpu_ms_a_step"] > 0


def test_adapters_begin_where_the_weights_are_and_train_fewer_numbers(rooms: Path, folder: Path) -> None:
    adaptation = Adaptation(enlarged=1.5, steps=2, warmup_steps=1, rates=(1e-2,), rates_of_all=(1e-3,))
    found = {name: adapters.measure(name, rooms, SMALL, folder, adaptation) for name in ("all_weights", "svft")}
    assert found["svft"]["before_db"] == found["all_weights"]["before_db"]
    assert 0 < found["svft"]["trained"] < found["all_weights"]["trained"] / 10
    assert found["svft"]["psnr_db"]["0.01"] != pytest.approx(found["svft"]["before_db"], abs=1e-6)
    assert set(ADAPTERS) >= {"lora", "asymmetric_lora", "c3a", "fourierft", "svft"}


def test_fewer_entries_move_the_spectrum_more(rooms: Path, folder: Path) -> None:
    found = pruning.measure(rooms, SMALL, folder)
    for way in pruning.WAYS:
        assert 0 < found[f"{way}_0.5"]["moved"] < found[f"{way}_0.25"]["moved"] < 1


def test_assignment_with_columns_finds_more_than_a_softmax() -> None:
    found = assignment.measure()["found"]
    assert found["1"] + 0.03 < found["5"] <= 1


def test_the_true_distance_has_slope_one_where_it_is_smooth(generator: torch.Generator) -> None:
    points = (2 * torch.rand(1000, 3, generator=generator) - 1).requires_grad_()
    (gradient,) = torch.autograd.grad(distances.true_distance(points).sum(), points)
    torch.testing.assert_close(gradient.norm(dim=1), torch.ones(1000), rtol=0, atol=1e-5)


def test_only_the_sandwich_keeps_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distances, "STEPS", 150)
    found = distances.measure()
    assert found["sandwich"]["steepest"] <= 1 + 1e-5
    assert found["sandwich"]["error"] < 0.2


def test_what_is_there_is_kept_and_reported(rooms: Path, tmp_path: Path) -> None:
    assert run(rooms, tmp_path, ["assignment"], SMALL) == {"made": 1, "done": 1}
    kept = (tmp_path / "assignment.json").read_bytes()
    assert run(rooms, tmp_path, ["assignment"], SMALL) == {"made": 0, "done": 1}
    assert (tmp_path / "assignment.json").read_bytes() == kept
    with pytest.raises(InputError, match="nothing to measure is called best"):
        run(rooms, tmp_path, ["best"], SMALL)
    with pytest.raises(InputError, match=r"assignment.json was measured with steps 4, now it is 5"):
        run(rooms, tmp_path, ["distances"], replace(SMALL, steps=5))
    document = tmp_path / "blocks.md"
    words = ["report", "--others", str(tmp_path), "--document", str(document), "--images", str(tmp_path)]
    assert main(words) == 0
    found = read_json(tmp_path / "assignment.json")["figures"]["found"]["5"]
    assert f"| 5 | {found:.1%} |" in document.read_text()
    assert main([*words[:2], str(tmp_path / "none"), *words[3:]]) == 2
    assert json.loads(kept)["machine"]["torch"] == torch.__version__
