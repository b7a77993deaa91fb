"""Dense matrices of a trained network become structured ones."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.compression.linears import PARTS, Part, block_linears, replace_module
from models.compression.sizing import config_within
from models.layers.attentions.projections import make_projection, rank_factor
from models.layers.config import AttentionConfig, LinearConfig, LinearKind
from models.layers.linears import Dense, Factored, Stacked, make_linear
from recon.errors import InputError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Conversion:
    """What a conversion did.

    Attributes:
        configs: Part -> config of its linear maps, with which the converted network is built anew.
        errors: Name of a matrix -> norm of its error over its own norm, both weighted as in the fit.
        numbers_before: Numbers of the matrices that were converted.
        numbers_after: Numbers of the matrices in their place.
    """

    configs: dict[Part, LinearConfig]
    errors: dict[str, float]
    numbers_before: int
    numbers_after: int


def convert_linears(
    network: nn.Module,
    kind: LinearKind,
    budget: float,
    *,
    parts: Sequence[Part] = tuple(PARTS),
    blocks: int = 4,
    value_rank: float = 1.0,
    input_rms: Mapping[str, Float[Tensor, " n"]] | None = None,
) -> Conversion:
    """Replace the plain matrices in the transformer blocks of a network, in place, by structured ones that come near.

    All matrices of a part get one config, so that the network can be built from a config again; the budget holds for
    every part. Fine-tuning afterwards makes up for most of the error.

    Args:
        network: Trained network.
        kind: Kind of structured matrix.
        budget: Share of the numbers that may be used, above 0 and below 1.
        parts: What is converted.
        blocks: Of block_dense and blast.
        value_rank: Rank of the matrices of values and answers over that of queries and keys in attention layers; LoRAP
            (Li et al. 2024) finds values harder to do without, and takes 3.
        input_rms: Name of a matrix -> root mean square of its inputs (`record_input_rms`); errors are then weighted so
            that outputs rather than entries are kept.

    Raises:
        InputError: There is nothing to convert, nothing of the kind fits into the budget, or it shares no ranks.
    """
    if not 0 < value_rank < float("inf"):
        raise InputError(f"value_rank: {value_rank:g}, expected a number above 0", hint="3 is what LoRAP takes")
    found = {part: linears for part, linears in block_linears(network, parts).items() if linears}
    configs, errors, before, after = {}, {}, 0, 0
    for part, linears in found.items():
        split = AttentionConfig(value_rank=value_rank if part == "attention" else 1.0)
        configs[part] = _config_within(kind, linears, budget, blocks, split)
        split = replace(split, linear=configs[part])
        for name, linear in linears.items():
            rms = None if input_rms is None else input_rms[name]
            structured, errors[name] = _convert(name, linear, split, rms)
            replace_module(network, name, structured)
            before += linear.weight.numel()
            after += sum(core.numel() for core, _ in structured.cores())
            logger.info("%s is now %s with a relative error of %.3f", name, kind, errors[name])
    return Conversion(configs, errors, before, after)


def _config_within(
    kind: LinearKind, linears: Mapping[str, Dense], budget: float, blocks: int, split: AttentionConfig
) -> LinearConfig:
    """As `config_within`, queries, keys and values that lie in one matrix counted apart where ranks differ."""
    shapes, factors = [], []
    for name, linear in linears.items():
        last = name.rpartition(".")[2]
        apart = "qkv" if last == "qkv" and split.value_rank != 1 else [last]
        shapes += [(linear.in_features, linear.out_features // len(apart))] * len(apart)
        factors += [rank_factor(split, part) for part in apart]
    return config_within(kind, shapes, budget, blocks=blocks, rank_factors=factors)


@torch.no_grad()
def _convert(
    name: str, linear: Dense, split: AttentionConfig, input_rms: Tensor | None
) -> tuple[Factored | Stacked, float]:
    """The structured matrix near a dense one, and its relative error."""
    sizes, biased = (linear.in_features, linear.out_features), linear.bias is not None
    with linear.weight.device:
        if split.value_rank != 1:
            structured = make_projection(split, name.rpartition(".")[2], *sizes)
        else:
            structured = make_linear(split.linear, *sizes, bias=biased)
    structured = cast(Factored | Stacked, structured)
    structured.to(linear.weight.dtype).train(linear.training)
    if linear.bias is not None and structured.bias is not None:
        structured.bias.copy_(linear.bias)
    structured.approximate(linear.weight, input_rms)
    scale = 1 if input_rms is None else input_rms.to(linear.weight)
    error = ((structured.materialise() - linear.weight) * scale).norm() / (linear.weight * scale).norm()
    return structured, float(error)
