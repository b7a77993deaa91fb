"""The quality study of blocks: two steps of training, going on, the report."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app.benchmarks.blocks import quality
from app.benchmarks.blocks.__main__ import main
from app.benchmarks.blocks.curves import compare, read_results
from app.benchmarks.blocks.document import put_section
from app.benchmarks.blocks.quality import QualityOptions, best_rate, read_runs, run
from app.benchmarks.blocks.quality_table import quality_markdown
from app.benchmarks.blocks.step_times import FILE, time_steps
from app.benchmarks.blocks.study import Run, Study, network_config, train_config
from app.benchmarks.blocks.variants import BASELINE, FAMILIES, VARIANTS
from models.ilrm.network import ILRM
from models.layers.config import BlockConfig
from models.settings import fault_in_sizes
from models.training.config import require_usable
from recon.errors import InputError
from recon.io.json_file import read_json, write_json
from tests.models.walls import write_walls

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")

SMALL = Study(
    size=16, views=2, batch_size=1, steps=2, points=2, val_batches=1, dim=32, head_dim=8, num_layers=1, warmup_steps=1,
    rates=(2e-3,), seeds=(0, 1),
)  # fmt: skip
NAMES = ("dense", "nested", "fast", "pruned_keys")


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_walls(tmp_path_factory.mktemp("walls"))


@pytest.fixture(scope="module")
def done(rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all runs of four variants, whose steps are timed."""
    folder = tmp_path_factory.mktemp("runs")
    counts = run(QualityOptions(str(rooms), str(folder), NAMES, processes=0, study=SMALL))
    assert counts == {"done": 12, "made": 12, "missing": 0}
    return folder


def test_every_variant_can_be_built_and_is_drawn_once() -> None:
    drawn = [name for names in FAMILIES.values() for name in names]
    assert sorted(drawn) == sorted(set(VARIANTS) - {BASELINE})
    for name in VARIANTS:
        assert fault_in_sizes(network_config(Study(), name)) is None
        assert fault_in_sizes(network_config(replace(Study(), network="ilrm-nano"), name)) is None
        ILRM(network_config(Study(), name))


def test_a_run_says_what_was_made_and_found(done: Path) -> None:
    figures = read_json(done / Run("fast", 2e-3, SMALL.trial_seed, 1).file_name)
    assert figures["run"] == {"variant": "fast", "rate": 2e-3, "seed": 100, "steps": 1}
    whole = [f for f in read_runs(done) if f["run"]["steps"] == 2 and f["run"]["variant"] == "fast"]
    assert [f["run"]["seed"] for f in whole] == [0, 1]
    for one in whole:
        assert [point["step"] for point in one["curve"]] == [1, 2]
        first, second = (point["cpu_seconds"] for point in one["curve"])
        assert 0 < first < second < one["cpu_seconds"]
        assert one["failed"] == ""
        assert one["psnr"]["final"] == pytest.approx(one["curve"][-1]["figures"]["psnr"], abs=0.05)
        assert one["macs"] < one["macs_train"]
        assert all(sum(shares) == pytest.approx(1) for shares in one["leaf_use"].values())
    assert len(whole[0]["leaf_use"]) == 2
    assert not list(done.glob(".*"))


def test_special_blocks_are_judged_in_more_than_one_way(done: Path) -> None:
    scores = {f["run"]["variant"]: f["psnr"].keys() for f in read_runs(done)}
    common = {"final", "nearest_view"}
    assert scores["dense"] == common
    assert scores["fast"] == common | {"soft"}
    assert scores["nested"] == common | {"width_0.125", "width_0.25", "width_0.5", "width_1"}
    assert scores["pruned_keys"] == common | {"all_keys"}


def test_what_is_there_is_not_made_again(done: Path, rooms: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = done / Run("dense", best_rate(done, SMALL, "dense") or 0, 1, 2).file_name
    kept = missing.read_bytes()
    missing.unlink()
    made = []

    def stand_in(study: Study, planned: Run, data: Path, folder: Path) -> Path:
        made.append(planned)
        (folder / planned.file_name).write_bytes(kept)
        return folder / planned.file_name

    monkeypatch.setattr(quality, "perform", stand_in)
    times = (done / FILE).read_bytes()
    assert run(QualityOptions(str(rooms), str(done), NAMES, processes=0, study=SMALL))["made"] == 1
    assert (done / FILE).read_bytes() == times
    assert [planned.file_name for planned in made] == [missing.name]


def test_no_run_begins_when_the_time_is_over(rooms: Path, tmp_path: Path) -> None:
    options = QualityOptions(str(rooms), str(tmp_path), ("dense",), minutes=0.0, processes=0, study=SMALL)
    assert run(options) == {"done": 0, "made": 0, "missing": 3}


@pytest.mark.slow
def test_runs_in_processes_of_their_own(rooms: Path, tmp_path: Path) -> None:
    study = replace(SMALL, steps=1, seeds=(0,), points=1)
    assert run(QualityOptions(str(rooms), str(tmp_path), ("dense",), processes=1, study=study))["missing"] == 0


def test_a_folder_holds_one_study(done: Path, rooms: Path) -> None:
    with pytest.raises(InputError, match="dim was 32, now 64"):
        run(QualityOptions(str(rooms), str(done), study=replace(SMALL, dim=64)))
    with pytest.raises(InputError, match="no variant is called best"):
        run(QualityOptions(str(rooms), str(done), ("best",), study=SMALL))


def test_a_folder_holds_runs_of_the_same_rooms_and_blocks(
    done: Path, rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fewer = tmp_path / "rooms"
    shutil.copytree(rooms, fewer)
    next(path for path in sorted(fewer.rglob("*")) if path.is_file()).unlink()
    with pytest.raises(InputError, match="data was"):
        run(QualityOptions(str(fewer), str(done), NAMES, study=SMALL))
    monkeypatch.setitem(VARIANTS, "nested", BlockConfig(parallel=True))
    with pytest.raises(InputError, match="block of nested was"):
        run(QualityOptions(str(rooms), str(done), NAMES, study=SMALL))


def test_a_block_that_fails_at_every_rate_is_reported(done: Path, rooms: Path, tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    shutil.copytree(done, folder)
    for path in folder.glob("fast.*"):
        if ".steps1." in path.name:
            write_json(path, read_json(path) | {"failed": "non-finite loss at step 1"})
        else:
            path.unlink()
    options = QualityOptions(str(rooms), str(folder), NAMES, processes=0, study=SMALL)
    assert run(options) == {"done": 10, "made": 0, "missing": 0}
    found = read_results(folder)
    assert found.failed == {"fast": "non-finite loss at step 1"}
    assert "`fast` failed at every rate, or with every seed: non-finite loss at step 1" in quality_markdown(found)


def test_another_rate_than_the_chosen_one_can_be_tried_as_a_control(done: Path, rooms: Path, tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    shutil.copytree(done, folder)
    options = QualityOptions(str(rooms), str(folder), ("dense",), processes=0, study=SMALL, control_rate=4e-3)
    assert run(options) == {"done": 2, "made": 2, "missing": 0}
    found = read_results(folder).of["dense"]
    assert found.rate == 2e-3
    assert [len(values) for values in found.controls.values()] == [2]
    assert "`dense` at a rate of 0.004, of 2 seeds" in quality_markdown(read_results(folder))
    with pytest.raises(InputError, match="control_rate is -1"):
        run(replace(options, control_rate=-1))


def test_what_was_not_timed_cannot_be_compared(done: Path, tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    shutil.copytree(done, folder)
    (folder / FILE).unlink()
    with pytest.raises(InputError, match="how long a step of dense, nested, fast, pruned_keys takes"):
        read_results(folder)


def test_the_rate_is_that_of_the_best_short_run(tmp_path: Path) -> None:
    study = replace(SMALL, rates=(1e-3, 2e-3, 4e-3))
    assert best_rate(tmp_path, study, "dense") is None
    for rate, psnr, failed in ((1e-3, 12.0, ""), (2e-3, 15.0, "non-finite loss"), (4e-3, 11.0, "")):
        curve = [{"step": 1, "cpu_seconds": 1.0, "figures": {"psnr": psnr}}]
        name = Run("dense", rate, SMALL.trial_seed, study.trial_steps).file_name
        write_json(tmp_path / name, {"curve": curve, "failed": failed})
    assert best_rate(tmp_path, study, "dense") == 1e-3


def test_the_shipped_kind_of_network_can_be_studied(rooms: Path, tmp_path: Path) -> None:
    study = replace(SMALL, network="ilrm-nano", steps=1, points=1, size=32)
    figures = read_json(quality.perform(study, Run("blast", 1e-3, 0, 1), rooms, tmp_path))
    assert figures["curve"][0]["figures"].keys() == {"psnr", "depth"}
    assert figures["psnr"].keys() == {"final", "nearest_view"}


def test_a_run_that_is_spoilt_is_a_result(rooms: Path, tmp_path: Path) -> None:
    wild = Run("dense", 1e30, 0, 4)
    figures = read_json(quality.perform(SMALL, wild, rooms, tmp_path))
    assert "non-finite" in figures["failed"]
    assert quality.last_psnr(figures) is None


def test_settings_of_the_study_are_usable(rooms: Path, tmp_path: Path) -> None:
    for name in VARIANTS:
        require_usable(train_config(Study(), Run(name, 1e-3, 0, Study().steps), rooms, tmp_path))


def test_a_difference_must_exceed_the_spread() -> None:
    assert compare([20.0, 20.4], [19.0, 19.2]) == "better"
    assert compare([19.0, 19.2], [20.0, 20.4]) == "worse"
    assert compare([20.0, 20.4], [19.8, 20.0]) == "no difference seen"
    assert compare([25.0], [19.8, 20.0]) == ""


def test_equal_time_is_read_off_the_curves(done: Path) -> None:
    found = read_results(done)
    dense = found.of["dense"]
    times, values = dense.curve(dense.runs[0])
    assert times == pytest.approx([found.times["milliseconds"]["dense"] * step / 1000 for step in (1, 2)])
    assert dense.at_time(times[0])[0] == pytest.approx(values[0])
    assert dense.at_time((times[0] + times[1]) / 2)[0] == pytest.approx(sum(values) / 2)
    assert dense.seconds == times[-1]


def test_steps_of_more_work_take_longer(rooms: Path) -> None:
    study = replace(SMALL, size=64, dim=64, num_layers=2)
    found = time_steps(study, ("repeat", "dense"), rooms, rounds=2)
    assert found["milliseconds"]["repeat"] > found["milliseconds"]["dense"] > 0


def test_report_has_tables_and_plots(done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document, images = tmp_path / "docs" / "blocks.md", tmp_path / "docs" / "images"
    document.parent.mkdir()
    document.write_text("# Blocks\n\nBy people.\n\n<!-- papers -->\n## Papers\n")
    words = ["report", "--runs", str(done), "--document", str(document), "--images", str(images), "--json"]
    assert main(words) == 0
    assert len(json.loads(capsys.readouterr().out)["written"]) == 3
    text = document.read_text()
    assert "By people." in text
    assert text.index("| `fast` |") < text.index("<!-- papers -->")
    assert "hard as used" in text
    assert "](images/blocks_time.svg)" in text
    for name in ("blocks_time.svg", "blocks_macs.svg"):
        assert (images / name).read_text().lstrip().startswith("<?xml")
        assert "pruned_keys" in (images / name).read_text()
    assert main(words) == 0
    assert document.read_text() == text


def test_a_report_needs_something_to_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report"]) == 2
    assert main(["report", "--runs", str(tmp_path)]) == 2
    assert "0 studies" in capsys.readouterr().err


def test_sections_are_replaced_between_their_marks(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    put_section(document, "speed", "Speed", "one \\1")
    put_section(document, "quality", "Quality", "two")
    put_section(document, "speed", "Speed", "three")
    assert document.read_text() == (
        "# Blocks\n\n## Speed\n\n<!-- speed -->\nthree\n<!-- /speed -->\n\n"
        "## Quality\n\n<!-- quality -->\ntwo\n<!-- /quality -->\n"
    )
    document.write_text("<!-- speed -->")
    with pytest.raises(InputError, match="only one of"):
        put_section(document, "speed", "Speed", "four")
