"""What was measured of other parts, as Markdown."""

from typing import Any

from app.benchmarks.blocks.others.adapters import Adaptation
from app.benchmarks.blocks.others.assignment import NUM
from app.benchmarks.blocks.speed_table import table
from app.benchmarks.blocks.study import Study


def others_markdown(figures: dict[str, Any], study: Study) -> str:
    """A table or a sentence for every kind of part that has figures."""
    short = {name.removeprefix("short_"): found for name, found in figures.items() if name.startswith("short_")}
    adapters = {name.removeprefix("adapter_"): found for name, found in figures.items() if name.startswith("adapter_")}
    parts = [
        _short(short, study) if short else "",
        _adapters(adapters, study) if adapters else "",
        _pruning(figures["pruning"]) if "pruning" in figures else "",
        _assignment(figures["assignment"]) if "assignment" in figures else "",
        _distances(figures["distances"]) if "distances" in figures else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _short(short: dict[str, Any], study: Study) -> str:
    rows = [
        [f"`{name}`", _rates(found), _best(found), f"{found['cpu_ms_a_step']:.0f}"] for name, found in short.items()
    ]
    head = f"""### Optimisers, heads, other blocks

The network of the quality study with dense blocks, {study.trial_steps} steps, seed {study.trial_seed}; PSNR of \
{2 * study.val_batches} held-out samples at each rate. One seed: see the spread of the quality study before a \
difference is believed."""
    return f"{head}\n\n{table(['what differs', 'rate: dB', 'best', 'CPU ms a step'], rows)}"


def _adapters(adapters: dict[str, Any], study: Study) -> str:
    adaptation = Adaptation()
    rows = [
        [f"`{name}`", f"{found['trained']:,}", f"{found['before_db']:.2f}", _rates(found), _best(found)]
        for name, found in adapters.items()
    ]
    side = round(adaptation.enlarged * study.size)
    head = f"""### Adapters

The same network after {study.steps} steps on pictures of {study.size} x {study.size} pixels, then {adaptation.steps} \
steps on pictures of {side} x {side}, of whose rooms a patch sees less; one seed."""
    return f"{head}\n\n{table(['what is trained', 'numbers', 'before, dB', 'rate: dB', 'best'], rows)}"


def _pruning(found: dict[str, Any]) -> str:
    rows = [
        [way, f"{float(share):.0%}", f"{value['psnr_db']:.2f}", f"{value['moved']:.1%}"]
        for (way, share), value in ((name.split("_"), v) for name, v in found.items() if name != "before_db")
    ]
    head = f"""### Pruning

Zeros in all matrices of the blocks of that network, without training again; {found["before_db"]:.2f} dB before."""
    return f"{head}\n\n{table(['entries chosen by', 'kept', 'dB', 'singular values moved by'], rows)}"


def _assignment(found: dict[str, Any]) -> str:
    rows = [[steps, f"{found['found'][steps]:.1%}", f"{found['milliseconds'][steps]:.2f}"] for steps in found["found"]]
    head = f"""### Assignment

{NUM} noisy features of one picture, each with its partner among as many of another: how many get theirs, by the \
largest entry of a row after so many normalisations of rows and columns; one alone is the softmax."""
    return f"{head}\n\n{table(['normalisations', 'found', 'ms'], rows)}"


def _distances(found: dict[str, Any]) -> str:
    rows = [
        [f"`{name}`", f"{value['macs']:,}", f"{value['error']:.4f}", f"{value['steepest']:.2f}"]
        for name, value in found.items()
    ]
    head = """### Signed distances

A ball and a box in a cube 2 wide, fitted alike; above a slope of 1 a traced ray may step through a surface."""
    return f"{head}\n\n{table(['head', 'multiply-adds', 'mean error', 'steepest slope found'], rows)}"


def _rates(found: dict[str, Any]) -> str:
    return ", ".join(f"{rate}: {'failed' if v is None else f'{v:.2f}'}" for rate, v in found["psnr_db"].items())


def _best(found: dict[str, Any]) -> str:
    usable = [value for value in found["psnr_db"].values() if value is not None]
    return f"{max(usable):.2f}" if usable else "failed"
