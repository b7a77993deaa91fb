"""The quality study as Markdown."""

from collections.abc import Sequence
from statistics import mean
from typing import Any

from app.benchmarks.blocks.curves import Result, Results, compare, spread
from app.benchmarks.blocks.speed_table import millions, table
from app.benchmarks.blocks.study import Study
from app.benchmarks.blocks.variants import BASELINE


def quality_markdown(found: Results) -> str:
    """How it was done, the table, what is special about some blocks, and what the figures do not say."""
    common = min(result.seconds for result in found.of.values())
    parts = [_method(found, common), _main(found.study, found.of, common), _special(found.of, found.failed)]
    return "\n\n".join(parts) + "\n"


def _method(found: Results, common: float) -> str:
    study, results = found.study, found.of
    first, times = results[BASELINE].runs[0], found.times
    rates = ", ".join(f"{rate:g}" for rate in study.rates)
    seeds = sorted({len(result.runs) for result in results.values()})
    network = {"ilrm": f"iLRM, patches of {study.patch}", "ilrm-nano": "iLRM-nano"}[study.network]
    loss = {"ilrm": "squared error alone", "ilrm-nano": "squared error and the usual terms of depth"}[study.network]
    return f"""{network}, width {study.dim}, {study.num_layers} update layers; \
{study.views} context views of {study.size} x {study.size} pixels of rendered rooms, {study.steps} steps of \
{study.batch_size} samples, {loss}, constant rate; averaged weights are judged on \
{2 * study.val_batches} held-out samples. Every block had {len(study.rates)} rates ({rates}) in runs of \
{study.trial_steps} steps to choose one from, by the samples that are reported here, then \
{" to ".join(map(str, seeds))} seeds; for the same seed all blocks see the same batches. Terms that blocks ask for \
themselves have weight {study.block_loss:g}.

PSNR in dB: mean of the seeds and, in brackets, largest less smallest. A difference from `{BASELINE}` is called one \
only if it exceeds both spreads; three seeds each of equal blocks differ so by chance in 1 of 20 comparisons. Equal \
time: PSNR after {common:.0f} CPU seconds of training, when the fastest block was through, and the difference from \
`{BASELINE}` when the faster of the two was through. Seconds are steps times the CPU time of a step, which was taken \
of all blocks in turns, on one thread, data left out ({times["said"]}). Showing the nearest context view would \
give {first["psnr"]["nearest_view"]:.2f} dB.

Plain matrices begin as iLRM states, from N(0, 0.02²); structured matrices, trees and experts as their papers say, two \
to four times as large. {first["machine"]["cpu"]}, torch {first["machine"]["torch"]}. At this size blocks of matrices \
are 16 to 32 wide, and blocks are a smaller share of a step than in a large network: neither ranks nor times carry \
over to a width of 768."""


def _main(study: Study, results: dict[str, Result], common: float) -> str:
    header = ["block", "rate", "parameters", "MACs", "MACs in training", f"PSNR, {study.steps} steps", "against dense",
              "verdict", f"PSNR, {common:.0f} s", "against dense, equal time", "verdict", "CPU ms a step",
              "seeds"]  # fmt: skip
    base = results[BASELINE]
    return table(header, [_row(result, base, common) for result in results.values()])


def _row(result: Result, base: Result, common: float) -> list[str]:
    paired = min(result.seconds, base.seconds)
    mine, theirs = result.at_time(paired), base.at_time(paired)
    own = result is base
    first = result.runs[0]
    return [
        f"`{result.name}`",
        f"{result.rate:g}",
        millions(first["parameters"]),
        millions(first["macs"]),
        millions(first["macs_train"]),
        _with_spread(result.finals),
        "" if own else f"{mean(result.finals) - mean(base.finals):+.2f}",
        "" if own else compare(result.finals, base.finals),
        _with_spread(result.at_time(common)),
        "" if own else f"{mean(mine) - mean(theirs):+.2f}",
        "" if own else compare(mine, theirs),
        f"{result.step_ms:.0f}",
        f"{len(result.runs)}" + (f", {len(result.failed)} failed" if result.failed else ""),
    ]


def _with_spread(values: Sequence[float]) -> str:
    return f"{mean(values):.2f} ({spread(values):.2f})"


def _special(results: dict[str, Result], failed: dict[str, str]) -> str:
    """What failed, what is only measured of some blocks, and the trials."""
    lines = [f"- `{name}` failed at every rate, or with every seed: {reason}." for name, reason in failed.items()]
    for name, words in SPECIAL.items():
        if name not in results:
            continue
        scores: list[dict[str, Any]] = [run["psnr"] for run in results[name].runs]
        values = {key: [score[key] for score in scores] for key in scores[0] if key != "nearest_view"}
        told = ", ".join(f"{key.replace('_', ' ')} {_with_spread(found)}" for key, found in values.items())
        lines.append(f"- `{name}`, {words}: {told} dB.")
    if "fast" in results:
        use = [share for run in results["fast"].runs for shares in run["leaf_use"].values() for share in shares]
        lines.append(f"- `fast`: a leaf gets {min(use):.0%} to {max(use):.0%} of the tokens of its layer.")
    if "nested" in results:
        lines.append(
            "- `nested` is counted whole; a training step runs an eighth to all of its hidden units, 47 % on average."
        )
    for name, result in results.items():
        for rate, found in result.controls.items():
            lines.append(f"- `{name}` at a rate of {rate:g}, of {len(found)} seeds: {_with_spread(found)} dB.")
    trials = "; ".join(f"`{name}` {_trials(result)}" for name, result in results.items())
    return "\n".join([*lines, f"- Short runs, rate and dB: {trials}."])


def _trials(result: Result) -> str:
    found = ((rate, "failed" if psnr is None else f"{psnr:.2f}") for rate, psnr in result.trials.items())
    return ", ".join(f"{rate:g}: {words}" for rate, words in found)


SPECIAL = {
    "nested": "of one training every share of the hidden width",
    "fast": "hard as used, and as the soft mixture that is trained",
    "pruned_keys": "half of the keys as used, and with all",
}
"""Name of a variant -> what its scores are."""
