"""Milliseconds of layers, taken in turns so that whatever disturbs the machine disturbs all alike."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from statistics import median
from typing import Any, Literal

import torch
from torch import Tensor

from app.benchmarks.blocks.layers import SUBJECTS, Scale, Subject, build, keywords, tokens
from app.benchmarks.blocks.machine import Others
from models.compression import quantize_dynamic_int8
from models.layers.contracts import Attention, FeedForward
from recon.errors import InputError

Precision = Literal["fp32", "bf16", "int8"]
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16", "int8")
Direction = Literal["forward", "forward_backward"]
REFERENCE = "float32 "
"""Before the name of a layer that is there to be compared with."""
Samples = list[tuple[float, float]]
"""Milliseconds of wall clock and of CPU time, round by round."""


def time_layers(
    names: Sequence[str], scale: Scale, precision: Precision, threads: int, rounds: int, warm_up: int
) -> dict[str, Any]:
    """Time layers in turns; meant to be the only thing that its process does.

    Forward passes are those of the form that is used, without gradients; forward and backward together those of the
    form that is trained, with the gradients of all parameters and of the tokens. bf16 is autocast, as the networks run.
    int8 layers have float32 inputs and outputs, and no backward pass.

    Returns:
        "layers": name -> direction -> samples; empty for layers without plain matrices in int8. "reference": the same
        of the layers that others are compared with, in float32, in the same rounds. "used_by_others": cores.
    """
    torch.set_num_threads(threads)
    runs = {name: _runs(SUBJECTS[name], scale, precision) for name in names}
    compared = {} if precision == "fp32" else {SUBJECTS[name].baseline: None for name in names}
    runs |= {REFERENCE + name: _runs(SUBJECTS[name], scale, "fp32") for name in compared}
    samples: dict[str, dict[Direction, Samples]] = {name: {d: [] for d in of} for name, of in runs.items()}
    others = Others()
    for number in range(warm_up + rounds):
        for name, of in runs.items():
            for direction, run in of.items():
                taken = _measure(run)
                if number >= warm_up:
                    samples[name][direction].append(taken)
    layers = {name: samples[name] for name in names}
    reference = {name: samples[REFERENCE + name] for name in compared} or layers
    return {"layers": layers, "reference": reference, "used_by_others": others.cores()}


def summary(samples: Samples, baseline: Samples, reference: Samples) -> dict[str, float]:
    """Fastest and median, and how many times faster than others.

    Args:
        samples: Of a layer.
        baseline: Of the layer that it is compared with, in the same precision.
        reference: Of that layer in float32.

    Returns:
        "min_ms", "median_ms", "cpu_min_ms"; "ratio" and "cpu_ratio" of the fastest rounds to those of `baseline`,
        "float32_ratio" to those of `reference`; "paired_ratio", median over rounds of the ratio to `reference`.
    """
    wall, cpu = zip(*samples, strict=True)
    (base, base_cpu), (float32, _) = zip(*baseline, strict=True), zip(*reference, strict=True)
    return {
        "min_ms": min(wall),
        "median_ms": median(wall),
        "cpu_min_ms": min(cpu),
        "ratio": min(base) / min(wall),
        "cpu_ratio": min(base_cpu) / min(cpu),
        "float32_ratio": min(float32) / min(wall),
        "paired_ratio": median(a / b for a, b in zip(float32, wall, strict=True)),
    }


def _runs(subject: Subject, scale: Scale, precision: Precision) -> dict[Direction, Callable[[], object]]:
    told, x = keywords(subject, scale.layout), tokens(scale)
    used = build(subject, scale, form="eval")
    if precision == "int8":
        try:
            quantised = quantize_dynamic_int8(used)
        except InputError:  # no plain matrices: the table shows a dash
            return {}
        return {"forward": lambda: _forward(quantised, x, told, nullcontext())}
    trained = build(subject, scale, form="train")
    around = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")
    return {
        "forward": lambda: _forward(used, x, told, around),
        "forward_backward": lambda: forward_backward(trained, x, told, around),
    }


def _forward(layer: torch.nn.Module, x: Tensor, told: dict[str, Any], around: AbstractContextManager) -> None:
    with torch.no_grad(), around:
        layer(x, **told)


def forward_backward(
    layer: FeedForward | Attention, x: Tensor, told: dict[str, Any], around: AbstractContextManager
) -> None:
    """One training pass; the gradients are thrown away."""
    leaf = x.clone().requires_grad_()
    with around:
        out = layer(leaf, **told)
    loss = torch.stack([out.float().sum(), *(value.float() for value in layer.aux_losses().values())]).sum()
    torch.autograd.grad(loss, [leaf, *layer.parameters()], allow_unused=True)


def _measure(run: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu)
