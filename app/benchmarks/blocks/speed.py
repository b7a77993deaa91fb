"""The speed table: what every layer costs on paper and in truth, at full width, without training."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from app.benchmarks.blocks.amdahl import bound, layout, share
from app.benchmarks.blocks.fresh_process import in_fresh_process
from app.benchmarks.blocks.gates import bfloat16_drift, check
from app.benchmarks.blocks.layers import FULL, SUBJECTS, TINY, Scale, Subject, build
from app.benchmarks.blocks.machine import facts, load, verdict
from app.benchmarks.blocks.memory import peak_memory
from app.benchmarks.blocks.sizes import sizes_of
from app.benchmarks.blocks.timing import PRECISIONS, Precision, summary, time_layers
from models.layers.contracts import Attention, Layout
from recon.errors import InputError

logger = logging.getLogger(__name__)

VIEWS = (2, 4, 8, 16)
"""Of the bounds for a whole network."""
TARGETS: dict[tuple[str, Precision], float] = {
    ("block_shuffle_8", "fp32"): 4.0,
    ("fast_3", "fp32"): 5.0,
    ("dense", "int8"): 3.0,
}
"""(layer, precision) -> how many times faster than the dense float32 layer its forward pass is to be, on one thread."""


@dataclass(frozen=True)
class SpeedOptions:
    """What is measured.

    Attributes:
        only: Names of layers; all if empty. What they are compared with is always measured too.
        precisions: Of fp32, bf16 and int8.
        threads: Numbers of threads, one after the other.
        rounds: Every layer once in each.
        warm_up: Rounds before, which do not count.
        memory: Whether peak memory is measured, in two more processes for each layer.
    """

    only: tuple[str, ...] = ()
    precisions: tuple[Precision, ...] = PRECISIONS
    threads: tuple[int, ...] = (1, 2)
    rounds: int = 20
    warm_up: int = 5
    memory: bool = True


def run(options: SpeedOptions, scale: Scale = FULL) -> dict[str, Any]:
    """All figures.

    Returns:
        "machine", "options", "scale"; "quiet" and "said" of the whole run; "layers": name -> "gates", "failed" (names
        of gates), "bfloat16_drift", "sizes", "memory_bytes", "times" (precision -> threads -> direction -> `summary`)
        and "network_bound" (views -> speed-up); "targets".

    Raises:
        InputError: A name is unknown, or an option makes no sense.
    """
    subjects = chosen(options)
    machine, load_before = facts(), load()
    layers = {name: _on_paper(subject, scale) for name, subject in subjects.items()}
    timed = [name for name, row in layers.items() if not row["failed"]]
    used_by_others = _measure(options, scale, layers, timed)
    _add_bounds(layers, subjects, scale)
    return {
        "machine": machine,
        "options": asdict(options),
        "scale": {"dim": scale.dim, "head_dim": scale.head_dim} | scale.layout._asdict(),
        "used_by_others": used_by_others,
        **verdict(load_before, used_by_others),
        "layers": layers,
        "targets": _targets(layers),
    }


def chosen(options: SpeedOptions) -> dict[str, Subject]:
    """The layers that were asked for and what they are compared with, in the order of the table."""
    if options.rounds < 1 or options.warm_up < 0 or any(count < 1 for count in options.threads):
        raise InputError(f"{options.rounds} rounds, {options.threads} threads", hint="expected at least 1 of each")
    if unknown := [name for name in options.only if name not in SUBJECTS]:
        raise InputError(f"no layer is called {', '.join(unknown)}", hint=f"there are {', '.join(SUBJECTS)}")
    asked = options.only or tuple(SUBJECTS)
    wanted = {*asked, *(SUBJECTS[name].baseline for name in asked)}
    return {name: subject for name, subject in SUBJECTS.items() if name in wanted}


def _on_paper(subject: Subject, scale: Scale) -> dict[str, Any]:
    gates = check(subject, TINY)
    return {
        "part": "attention" if subject.is_attention else "feed_forward",
        "baseline": subject.baseline,
        "gates": gates,
        "failed": [name for name, passed in gates.items() if not passed],
        "bfloat16_drift": bfloat16_drift(subject, TINY),
        "sizes": sizes_of(subject, scale),
        "memory_bytes": {},
        "times": {},
    }


def _measure(options: SpeedOptions, scale: Scale, layers: dict[str, Any], names: Sequence[str]) -> float:
    """Fill in times and memory; the most cores that others used during any part."""
    others = 0.0
    for precision in options.precisions:
        for threads in options.threads:
            logger.info("%s, %d threads, %d rounds", precision, threads, options.rounds)
            found = in_fresh_process(time_layers, names, scale, precision, threads, options.rounds, options.warm_up)
            others = max(others, found["used_by_others"])
            _add_times(layers, found, precision, threads)
    if options.memory:
        logger.info("memory")
        for name in names:
            layers[name]["memory_bytes"] = {
                direction: in_fresh_process(peak_memory, name, scale, direction)
                for direction in ("forward", "forward_backward")
            }
    return others


def _add_times(layers: dict[str, Any], found: dict[str, Any], precision: Precision, threads: int) -> None:
    for name, of in found["layers"].items():
        baseline = layers[name]["baseline"]
        times = {
            direction: summary(samples, found["layers"][baseline][direction], found["reference"][baseline][direction])
            for direction, samples in of.items()
        }
        layers[name]["times"].setdefault(precision, {})[str(threads)] = times  # as a file has it


def _add_bounds(layers: dict[str, Any], subjects: dict[str, Subject], scale: Scale) -> None:
    """How much faster a whole network could be at most, with float32 on the fewest threads that were measured.

    Attention was timed with other tokens than the network has; there its multiply-adds are taken to be as fast.
    """
    for name, row in layers.items():
        by_threads = row["times"].get("fp32", {})
        if not by_threads:
            continue
        ratio = by_threads[min(by_threads, key=int)]["forward"]["ratio"]
        subject = subjects[name]
        part = "attention" if subject.is_attention else "feed_forward"
        ratios = {views: ratio for views in VIEWS}
        if subject.is_attention:
            saved = _saved_macs(subject, scale, scale.layout)
            ratios = {views: ratio * _saved_macs(subject, scale, layout(views)) / saved for views in VIEWS}
        row["network_bound"] = {views: bound(part, views, faster) for views, faster in ratios.items()}
        row["network_share"] = {views: share(part, views) for views in VIEWS}


def _saved_macs(subject: Subject, scale: Scale, tokens: Layout) -> float:
    """How many times fewer multiply-adds a layer of attention has than full attention."""
    mine, full = (cast(Attention, build(s, scale, form="eval")).macs(tokens) for s in (subject, SUBJECTS["full"]))
    return full / mine


def _targets(layers: dict[str, Any]) -> list[dict[str, Any]]:
    """Whether layers are as fast as they are to be, of those that were measured on one thread."""
    rows = []
    for (name, precision), least in TARGETS.items():
        times = layers.get(name, {}).get("times", {}).get(precision, {}).get("1", {}).get("forward")
        if times:
            ratio = times["float32_ratio"]
            rows.append({"layer": name, "precision": precision, "least": least, "ratio": ratio, "met": ratio >= least})
    return rows
