"""The speed table of the exchangeable layers, at tiny sizes."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch

from app.benchmarks.blocks import speed
from app.benchmarks.blocks.__main__ import main
from app.benchmarks.blocks.amdahl import bound, share
from app.benchmarks.blocks.fresh_process import in_fresh_process
from app.benchmarks.blocks.gates import check
from app.benchmarks.blocks.layers import SUBJECTS, TINY, Subject, build, keywords, tokens
from app.benchmarks.blocks.machine import Others, verdict
from app.benchmarks.blocks.memory import peak_memory
from app.benchmarks.blocks.report import report
from app.benchmarks.blocks.sizes import sizes_of
from app.benchmarks.blocks.speed import SpeedOptions, chosen
from app.benchmarks.blocks.speed_table import millions, speed_markdown
from app.benchmarks.blocks.timing import summary
from models.layers.attentions import ATTENTIONS
from models.layers.config import AttentionConfig, FeedForwardConfig
from models.layers.contracts import Layout
from models.layers.feedforwards import FEED_FORWARDS
from models.layers.feedforwards.gelu import GeluFeedForward
from models.layers.linears import LINEARS
from recon.errors import InputError

every_subject = pytest.mark.parametrize("name", SUBJECTS)


def test_everything_in_the_dictionaries_is_measured() -> None:
    feed_forwards = [s.config for s in SUBJECTS.values() if isinstance(s.config, FeedForwardConfig)]
    assert {config.linear.kind for config in feed_forwards} == LINEARS.keys()
    assert {config.kind for config in feed_forwards} == FEED_FORWARDS.keys()
    assert {s.config.kind for s in SUBJECTS.values() if isinstance(s.config, AttentionConfig)} == ATTENTIONS.keys()


@every_subject
def test_formula_is_what_is_counted(name: str) -> None:
    found = sizes_of(SUBJECTS[name], TINY)
    assert found["agree"], found["differ"]
    assert found["counted_eval"] == found["macs_eval"] > 0
    assert found["counted_train"] == found["macs_train"] >= found["macs_eval"]


@every_subject
def test_layers_pass_their_gates(name: str) -> None:
    gates = check(SUBJECTS[name], TINY)
    assert len(gates) > 5
    assert {gate for gate, passed in gates.items() if not passed} == set()


class _Leaky(GeluFeedForward):
    """Tokens see the one before them in memory, its gradient is wrong, and its numbers do not come back."""

    def update(self, normed, *, group_ids=None, width=1.0):
        out = super().update(normed)
        return out + 0.1 * normed.flatten(0, 1).roll(1, 0).view_as(normed).detach()


def test_gates_notice_a_layer_that_mixes_scenes_or_has_wrong_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FEED_FORWARDS, "gelu", lambda config, dim: _Leaky(dim, config.ratio))
    gates = check(SUBJECTS["dense"], TINY)
    assert not gates["scenes are independent"]
    assert not gates["gradients"]
    assert gates["finite"]


def test_layers_that_fail_a_gate_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "check", lambda subject, scale: {"finite": subject.width == 1.0})
    monkeypatch.setattr(speed, "in_fresh_process", lambda function, *args: function(*args))
    options = SpeedOptions(("dense", "nested_half"), ("fp32",), (1,), rounds=2, warm_up=0, memory=False)
    figures = speed.run(options, TINY)
    assert figures["layers"]["nested_half"]["times"] == {}
    assert figures["layers"]["dense"]["times"]["fp32"]["1"]["forward"]["min_ms"] > 0
    assert "`nested_half` fails finite" in speed_markdown(figures)


def test_formulas_that_do_not_agree_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GeluFeedForward, "macs", lambda self, num_tokens, mode: 7)
    found = sizes_of(SUBJECTS["dense"], TINY)
    assert not found["agree"]
    assert "7 by formula, 262,144 counted" in found["differ"]


def test_half_of_a_nested_layer_costs_half() -> None:
    half, whole = (sizes_of(SUBJECTS[name], TINY)["macs_eval"] for name in ("nested_half", "nested"))
    assert 2 * half == whole


def test_a_layer_has_the_same_numbers_at_every_call() -> None:
    subject = SUBJECTS["blast"]
    first, second = (build(subject, TINY, form="eval")(tokens(TINY), **keywords(subject, TINY.layout)) for _ in "ab")
    assert torch.equal(first, second)


def test_processes_are_fresh() -> None:
    assert in_fresh_process(os.getpid) != os.getpid()


def test_processes_end_with_the_one_that_asked() -> None:
    code = (
        "import os, signal\n"
        "from concurrent.futures import ProcessPoolExecutor\n"
        "from app.benchmarks.blocks.fresh_process import end_with_parent, process_context\n"
        "if __name__ == '__main__':\n"
        "    pool = ProcessPoolExecutor(1, mp_context=process_context(), initializer=end_with_parent)\n"
        "    print(pool.submit(os.getpid).result(), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=False)
    end = time.monotonic() + 30
    while psutil.pid_exists(int(done.stdout)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not psutil.pid_exists(int(done.stdout))


def test_command_writes_figures_and_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(speed, "in_fresh_process", lambda function, *args: function(*args))  # which takes seconds
    words = ["speed", "--tiny", "--only", "lowrank", "per_view", "--threads", "1", "--rounds", "2", "--warm_up", "0"]
    assert main([*words, "--out", str(tmp_path), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert json.loads((tmp_path / "speed.json").read_text()) == figures
    assert list(figures["layers"]) == ["dense", "lowrank", "full", "per_view"]
    lowrank = figures["layers"]["lowrank"]
    assert lowrank["times"].keys() == {"fp32", "bf16", "int8"}
    assert lowrank["times"]["int8"]["1"] == {}  # no plain matrices
    assert figures["layers"]["dense"]["times"]["int8"]["1"].keys() == {"forward"}
    assert lowrank["times"]["bf16"]["1"].keys() == {"forward", "forward_backward"}
    assert lowrank["memory_bytes"].keys() == {"forward", "forward_backward"}
    assert figures["layers"]["dense"]["times"]["fp32"]["1"]["forward"]["float32_ratio"] == 1
    document = tmp_path / "blocks.md"
    document.write_text("<!-- speed -->\n<!-- /speed -->\n")
    assert report(document, tmp_path, runs=None, speed=tmp_path / "speed.json") == [document]
    assert (tmp_path / "speed.md").read_text().splitlines()[-2] in document.read_text()
    text = (tmp_path / "speed.md").read_text()
    assert "quiet machine" in text
    assert "| `dense` int8 | x3.0 |" in text  # of what is to be met, what was measured
    assert all(f"| `{name}` |" in text for name in figures["layers"])


def test_peak_memory_is_at_least_what_a_layer_must_hold() -> None:
    scale = replace(TINY, dim=256, head_dim=64, layout=Layout(2, 32, 32))
    hidden = 2 * 32 * 32 * 4 * 256 * 4
    assert hidden < peak_memory("dense", scale, "forward") < 8 * hidden


def test_a_loaded_machine_is_not_called_quiet() -> None:
    assert verdict(0.3, 0.0) == {"quiet": True, "said": "quiet machine"}
    for load, others in ((1.6, 0.0), (0.1, 0.5), (float("nan"), 0.0)):
        found = verdict(load, others)
        assert not found["quiet"]
        assert found["said"].startswith("NOT a quiet machine")


def test_own_work_is_not_that_of_others() -> None:
    others = Others()
    torch.randn(400, 400) @ torch.randn(400, 400)
    assert 0 <= others.cores() < 1000


def test_shares_are_those_of_the_published_network() -> None:
    # FLOPs of research on the published sizes: with 2 views half of the work is feed-forward, with 16 under a quarter.
    assert [round(share("feed_forward", views), 2) for views in (2, 4, 8, 16)] == [0.5, 0.43, 0.33, 0.23]
    assert bound("feed_forward", 4, 3.0) == pytest.approx(1.40, abs=0.005)
    assert bound("feed_forward", 2, 1e9) == pytest.approx(2.0, abs=0.01)
    assert bound("attention", 16, 1.0) == 1


def test_attention_of_its_own_view_is_worth_more_the_more_views_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "in_fresh_process", lambda function, *args: function(*args))
    options = SpeedOptions(("per_view",), ("fp32",), (1,), rounds=1, warm_up=0, memory=False)
    found = speed.run(options, TINY)["layers"]
    bounds = found["per_view"]["network_bound"]
    assert bounds[2] < bounds[4] < bounds[8] < bounds[16]
    ratio = found["per_view"]["times"]["fp32"]["1"]["forward"]["ratio"]
    assert bounds[16] > bound("attention", 16, ratio)
    assert found["full"]["network_bound"][16] == pytest.approx(1.0)


def test_ratios_are_of_the_fastest_and_of_rounds() -> None:
    mine, base = [(2.0, 2.0), (4.0, 4.0)], [(8.0, 8.0), (12.0, 12.0)]
    found = summary(mine, base, base)
    assert (found["min_ms"], found["median_ms"], found["ratio"], found["paired_ratio"]) == (2, 3, 4, 3.5)


def test_unknown_names_and_empty_runs_are_refused() -> None:
    with pytest.raises(InputError, match="no layer is called best"):
        chosen(SpeedOptions(only=("best",)))
    with pytest.raises(InputError, match="0 rounds"):
        chosen(SpeedOptions(rounds=0))
    assert list(chosen(SpeedOptions(only=("inception",)))) == ["full", "inception"]


def test_counts_have_three_digits() -> None:
    assert [millions(n) for n in (123, 4_718_592, 4_831_838_208)] == ["0.000123 M", "4.72 M", "4,832 M"]


def test_subjects_know_what_they_are() -> None:
    assert Subject(AttentionConfig()).baseline == "full"
    assert not Subject(FeedForwardConfig()).is_attention
