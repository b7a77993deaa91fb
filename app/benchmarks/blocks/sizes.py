"""What a layer costs on paper: numbers, bytes, multiply-adds by its own formula and counted."""

from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from app.benchmarks.blocks.layers import Scale, Subject, build, elementwise_macs, keywords, tokens
from models.layers.contracts import Attention, FeedForward, Mode
from models.layers.feedforwards.nested import NestedGelu


def sizes_of(subject: Subject, scale: Scale) -> dict[str, Any]:
    """Figures of one layer on one sequence.

    Returns:
        "parameters" and "stored_bytes" (float32) in the form that is used, "parameters_trained" in the other;
        "macs_eval" and "macs_train" by formula (attention has none for training: then what was counted);
        "counted_eval" and "counted_train"; "agree", or else "differ" in words.
    """
    trained, used = build(subject, scale, form="train"), build(subject, scale, form="eval")
    counted = {"eval": count_macs(used, subject, scale), "train": count_macs(trained, subject, scale)}
    formula = {"eval": formula_macs(used, subject, scale, "eval")}
    formula["train"] = counted["train"] if subject.is_attention else formula_macs(trained, subject, scale, "train")
    differences = [
        f"{mode}: {formula[mode]:,} by formula, {counted[mode]:,} counted"
        for mode in ("eval", "train")
        if formula[mode] != counted[mode]
    ]
    return {
        "parameters": sum(p.numel() for p in used.parameters()),
        "parameters_trained": sum(p.numel() for p in trained.parameters()),
        "stored_bytes": sum(t.nbytes for t in used.state_dict().values()),
        "macs_eval": formula["eval"],
        "macs_train": formula["train"],
        "counted_eval": counted["eval"],
        "counted_train": counted["train"],
        "agree": not differences,
        "differ": "; ".join(differences),
    }


def formula_macs(layer: FeedForward | Attention, subject: Subject, scale: Scale, mode: Mode) -> int:
    """Multiply-adds as the layer itself says."""
    if isinstance(layer, Attention):
        return layer.macs(scale.layout)
    if isinstance(layer, NestedGelu):
        return layer.macs_at(scale.layout.length, subject.width)
    return layer.macs(scale.layout.length, mode)


def count_macs(layer: FeedForward | Attention, subject: Subject, scale: Scale) -> int:
    """Multiply-adds that torch counts while the layer runs, and those that it cannot see."""
    # The counter knows attention by its matrix products; the fused kernel of the CPU it does not count.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter, torch.no_grad():
        layer(tokens(scale), **keywords(subject, scale.layout))
    return counter.get_total_flops() // 2 + elementwise_macs(layer, scale.layout)
